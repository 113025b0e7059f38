import { copyFileSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm, root, stateDir, type Finished } from '../checkout/cli.ts';

/** What is declared in the namespace `shop` of a mesh. */
export interface Declared {
  /** What it takes of the library, beside what every declaration does. */
  readonly names: readonly string[];
  /** Names of the module of a service, by what stands for it in gen: `InventoryService` by `shop/inventory/v1/inventory`. */
  readonly services: Readonly<Record<string, readonly string[]>>;
  /** Statements, which know `mesh` and its namespace `shop`. */
  readonly body: string;
}

/** The text of a mesh.ts: a mesh of the lab's two clusters, with what is declared in it. */
export function declarationOf({ names, services, body }: Declared): string {
  const imports = Object.entries(services).map(
    ([file, of]) => `import { ${of.join(', ')} } from '${root}/gen/${file}_pb.js';`,
  );
  return `
import { ${['declare', 'lab', 'Mesh', ...names].join(', ')} } from '${root}/charts/index.ts';
${imports.join('\n')}

const clusters = {
  east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b' },
  west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a' },
};

export default declare({
  environments: { lab: { platform: lab } },
  mesh: ({ root, values }) => {
    const mesh = new Mesh('shop', { root, trustDomain: 'shop.example', clusters, ...values });
    const shop = mesh.namespace('shop');
${body}
    return mesh;
  },
});
`;
}

/** What {@link imageProject} makes. */
export type ImageProject = ReturnType<typeof imageProject>;

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
