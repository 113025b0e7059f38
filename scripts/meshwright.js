#!/usr/bin/env node
// `npx meshwright COMMAND [flags]`, in a project that has installed the packages: brings the code generated from its protos
// up to date, then hands over to the command on Node 24.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './generate.js';
import { start } from './start.js';

const product = fileURLToPath(new URL('..', import.meta.url));

/** The Node that this one is, where it is new enough; else that of the npm package which comes along on Linux. */
function findNode() {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 24) return process.execPath;
  try {
    const { resolve } = createRequire(join(product, 'package.json'));
    return join(dirname(resolve(`node-${process.platform}-${process.arch}/package.json`)), 'bin', 'node');
  } catch {
    process.stderr.write(
      `node: version ${process.versions.node} received; allowed 24 or newer; install a newer Node and run the command again\n`,
    );
    return process.exit(1);
  }
}

/** The innermost folder with a mesh.ts, from the current one on upward. */
function findProject(folder) {
  if (existsSync(join(folder, 'mesh.ts'))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : findProject(above);
}

const node = findNode();
const project = findProject(process.cwd());
if (project !== undefined && existsSync(join(project, 'buf.gen.yaml'))) {
  try {
    generate(project, node);
  } catch {
    process.stderr.write('proto/: the code of its services was not generated; correct the errors above\n');
    process.exit(1);
  }
}
start(node, join(product, 'lib', 'cli', 'main.js'), process.argv.slice(2), {
  cwd: project,
  compileCache: join(project ?? product, 'node_modules', '.cache', 'meshwright'),
});
