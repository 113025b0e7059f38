import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm, root } from '../e2e/checkout/cli.ts';

/** Holds the packed packages beside the project. */
export const folder = mkdtempSync(join(tmpdir(), 'own-repository-'));
/** A project that knows this checkout by its packages alone; empty at first. */
export const project = join(folder, 'acme');
/** Its state is its own. */
const env = { MESHWRIGHT_STATE_DIR: undefined };
export const state = join(project, '.meshwright');

/** `npm run COMMAND -- FLAGS` in the project. */
export const inProject = (command: string, ...flags: readonly string[]) => npm(command, flags, env, project);

/** Runs a program in the project to its end; throws what it said when it failed. */
export function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

export const install = (...packages: readonly string[]) =>
  run(
    'npm',
    ...['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'],
    ...packages,
  );

export const bin = (name: string) => join(project, 'node_modules', '.bin', name);

/** Runs a version of TypeScript by the name of its package; returns what it said. */
export const compile = (name: string, ...flags: readonly string[]) =>
  run(bin('node'), join(project, 'node_modules', name, 'bin', 'tsc'), '--pretty', 'false', ...flags);

/** Versions of TypeScript that a project may have. */
export const compilers = ['typescript', 'typescript-5.9'];

export const read = (path: string) => readFileSync(join(project, path), 'utf8');

/** Replaces a part of a file, once; throws where it is not there. */
export function edit(path: string, from: string, to: string): void {
  const text = read(path);
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  writeFileSync(
    join(project, path),
    text.replace(from, () => to),
  );
}

/** The code of a document of this repository below `<!-- TITLE -->`. */
export function example(document: string, title: string): string {
  const text = readFileSync(join(root, document), 'utf8');
  const [, code] = text.split(`<!-- ${title} -->\n\n\`\`\`ts\n`);
  if (code === undefined) throw new Error(`${document} has no <!-- ${title} --> with code below`);
  return code.slice(0, code.indexOf('```'));
}

/** All files of dist/ with the lock, by path. */
export function rendered(): Readonly<Record<string, string>> {
  const files = readdirSync(join(project, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  const paths = [...files, join(project, 'images.lock.json')];
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'utf8')]));
}

/** Deployments in a cluster's YAML, by name. */
export function deployments(cluster: string): Readonly<Record<string, string>> {
  const objects = read(`dist/lab/${cluster}/50-workloads.k8s.yaml`).split('---\n');
  return Object.fromEntries(
    objects
      .filter((text) => text.includes('kind: Deployment\n'))
      .map((text) => [/^ {2}name: (.+)$/m.exec(text)?.[1] ?? '', text]),
  );
}
