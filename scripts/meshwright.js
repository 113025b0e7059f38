#!/usr/bin/env node
// `npx meshwright COMMAND [flags]`, in a project that has installed the packages: brings the code generated from its protos
// up to date, then hands over to the command on Node 24.
import { existsSync, statSync } from 'node:fs';
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
    return fail(
      `node: version ${process.versions.node} received; allowed 24 or newer; install a newer Node and run the command again`,
    );
  }
}

/** The innermost folder with a mesh.ts, from the current one on upward. */
function findProject(folder) {
  if (existsSync(join(folder, 'mesh.ts'))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : findProject(above);
}

/** A project's code is run: one above the current folder has to be the user's own, or root's. */
function refuseStrangers(folder) {
  const owner = statSync(folder).uid;
  if (process.getuid === undefined || folder === process.cwd() || [0, process.getuid()].includes(owner))
    return;
  fail(
    `${folder}/mesh.ts: the folder belongs to another user, whose code this command would run; fix: run it in your own project`,
  );
}

/** Brings gen/ up to date with proto/. */
function generateCode(project) {
  if (!existsSync(join(project, 'buf.gen.yaml'))) return;
  if (!existsSync(join(project, 'node_modules', '.bin', 'buf')))
    fail(
      `${project}/node_modules: lacks buf, which generates code from proto/; fix: run \`npm install\` in ${project}`,
    );
  try {
    generate(project, node);
  } catch (error) {
    // buf has said what is wrong with a proto; anything else is said here.
    if (error.status === undefined) process.stderr.write(`${error.message}\n`);
    const what = 'proto/: the code of its services was not generated';
    // What is up is looked at, or removed, with the code that there is.
    if (['status', 'down'].includes(args[0])) process.stderr.write(`${what}; going on with that of before\n`);
    else fail(`${what}; correct the errors above`, 2);
  }
}

function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

const node = findNode();
const args = process.argv.slice(2);
// A new project is made where the user is; help needs none.
const needsNone =
  args.length === 0 || args[0] === 'init' || args.some((each) => ['--help', '-h', 'help'].includes(each));
const project = needsNone ? undefined : findProject(process.cwd());
if (project !== undefined) {
  refuseStrangers(project);
  generateCode(project);
}
start(node, join(product, 'lib', 'cli', 'main.js'), args, {
  cwd: project,
  compileCache: join(project ?? product, 'node_modules', '.cache', 'meshwright'),
});
