import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keptProject } from '../../charts/testing/project.ts';

/** This checkout: what the library is read from. */
const checkout = fileURLToPath(new URL('../..', import.meta.url));
const library = ['charts', 'core', 'http-rule', 'images', 'node_modules', 'package.json', 'tsconfig.json'];
/** The shop of the tests, by the library that the commands have. */
const shop = `export { default } from './charts/testing/declaration.ts';\n`;

/**
 * The root of a project as this checkout is one: a declaration, apps that can be bundled, a lock that is not what they
 * make, stack files, and in `gen/shop` the services of the tests. It stays until the process ends.
 * @param declaration - the text of mesh.ts. @default - the shop in its environments lab and prod
 */
export function declaredProject(declaration: string = shop): string {
  const root = keptProject();
  const link = (from: string, to = from) => {
    symlinkSync(join(checkout, from), join(root, to));
  };
  for (const name of library) link(name);
  mkdirSync(join(root, 'gen'));
  for (const name of readdirSync(join(checkout, 'gen')).filter((each) => each !== 'shop'))
    link(`gen/${name}`);
  link('gen/test', 'gen/shop');
  for (const app of readdirSync(join(root, 'apps')))
    writeFileSync(join(root, 'apps', app, 'main.ts'), `process.stdout.write('${app}\\n');\n`);
  for (const stack of ['lab', 'prod']) writeFileSync(join(root, `Pulumi.${stack}.yaml`), 'config: {}\n');
  writeFileSync(join(root, 'mesh.ts'), declaration);
  return root;
}
