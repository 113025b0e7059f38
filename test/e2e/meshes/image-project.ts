import { copyFileSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm, root, stateDir, type Finished } from '../checkout/cli.ts';

/** A project of its own with images that are built elsewhere, which brings the lab of the checkout to what it declares. */
export function imageProject(declaration: string) {
  const folder = mkdtempSync(join(tmpdir(), 'meshwright-foreign-images-'));
  cpSync(join(root, 'apps'), join(folder, 'apps'), { recursive: true });
  for (const name of ['core', 'gen', 'http-rule', 'node_modules', 'tsconfig.json'])
    symlinkSync(join(root, name), join(folder, name));
  copyFileSync(join(root, 'images.lock.json'), join(folder, 'images.lock.json'));
  const program = `'${root}/node_modules/.bin/node' --disable-warning=ExperimentalWarning '${root}/cli/main.ts'`;
  const scripts = { up: `${program} up`, status: `${program} status` };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'foreign', type: 'module', scripts }));
  writeFileSync(join(folder, 'mesh.ts'), declaration);
  const env = { MESHWRIGHT_STATE_DIR: stateDir };
  return {
    folder,
    /** Says in the stack file where the archives are. */
    bring: (labImages: Readonly<Record<string, string>>) => {
      const config = JSON.stringify({ config: { 'meshwright:labImages': labImages } });
      writeFileSync(join(folder, 'Pulumi.lab.yaml'), config);
    },
    run: (command: 'up' | 'status', ...flags: readonly string[]): Promise<Finished> =>
      npm(command, flags, env, folder),
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
