// Plain JavaScript for any Node from 18 on: what has to be there before TypeScript can run.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './generate.js';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Whether there is an npm package with Node's program for this machine. */
const isPackaged = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);

/** Node 24: that of the npm package, so that scripts do not depend on the host's, and elsewhere than on Linux the host's. */
export const node24 = isPackaged ? join(root, 'node_modules', '.bin', 'node') : process.execPath;

/**
 * What a checkout's path cannot hold, and why. Everything else is passed on as it is, or escaped as each format asks.
 */
const unfit = [
  [/:/, 'a colon, which PATH separates its folders by'],
  // Node replaces it in the whole path where a package exports modules by a pattern; with a backslash it loads no ES module.
  [/[*\\]/, 'an asterisk or a backslash, with which Node finds no modules'],
  [/\p{Cc}/u, 'a control character, such as a line break: lines of output and of logs name files'],
  [/\uFFFD/, 'bytes that are no UTF-8'],
];

/** The message that refuses a checkout in this folder; undefined for a folder that will do. */
function refusal(path) {
  const [, why] = unfit.find(([characters]) => characters.test(path)) ?? [];
  if (why === undefined) return undefined;
  return `checkout: the path of its folder has ${why}; received ${JSON.stringify(path)}; allowed any other characters, spaces and quotes among them; fix: move or rename the folder`;
}

/** Installs the locked npm packages when they are missing or the lock file changed, and says so. */
export function prepare() {
  const refused = refusal(root);
  if (refused !== undefined) fail(refused, 2);
  const [major = 0] = process.versions.node.split('.').map(Number);
  const oldest = isPackaged ? 18 : 24;
  if (major < oldest)
    fail(
      `node: version ${process.versions.node} received; allowed ${oldest} or newer; install a newer Node and run the command again`,
    );
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  // One file per lock file, so that work trees of other branches may share the packages. `npm ci` removes them all.
  const stampFile = join(root, 'node_modules', `.meshwright-installed-${lock.slice(0, 16)}`);
  const installed = existsSync(stampFile) && existsSync(node24);
  if (installed) {
    generate(root);
    return;
  }
  const packages = join(root, 'node_modules');
  if (lstatSync(packages, { throwIfNoEntry: false })?.isSymbolicLink())
    fail(
      `${packages}: lacks what package-lock.json pins, and is a symbolic link: npm ci would empty the folder that others use; remove the link, or install into that folder, and run the command again`,
    );
  process.stderr.write('npm packages: installing what package-lock.json pins (npm ci, about a minute)\n');
  const result = spawnSync(
    'npm',
    ['ci', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
    },
  );
  if (result.status !== 0) {
    fail(
      `npm ci: ended with ${result.status ?? result.signal ?? result.error?.message}; its messages are above; correct the cause and run the command again`,
    );
  }
  // npm leaves an optional package out without a word when it cannot fetch it.
  if (!existsSync(node24))
    fail(
      `${node24}: npm ci did not install node-linux-${process.arch}; let npm fetch that package (npm pack node-linux-${process.arch} shows why it cannot) and run the command again`,
    );
  writeFileSync(stampFile, '');
}

/** Runs a command to its end with this terminal, and returns its exit code. */
export function runToEnd(command, args, env = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`, ...env },
  });
  if (result.error) process.stderr.write(`${command}: ${result.error.message}\n`);
  return result.status ?? 1;
}

function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
