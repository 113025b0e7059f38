import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../core/files.ts';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import type { RenderedStage } from './synth.ts';

/** Suffix of the files that these functions own in dist/. */
const suffix = '.k8s.yaml';

/** What is rendered of environments, by their names: `dist/<environment>/<cluster>/<stage>.k8s.yaml`. */
export type Dist = ReadonlyMap<string, readonly RenderedStage[]>;

/**
 * Writes what is rendered of some environments to dist/: each file is replaced as a whole and only when it differs; files of
 * stages and clusters that these environments no longer render are removed.
 * @param root - project root
 * @returns paths of the written and removed files, relative to the root, in order
 */
export function writeDist(root: string, dist: Dist): readonly string[] {
  const files = filesOf(dist);
  const written = [...files].filter(([path, yaml]) => read(root, path) !== yaml);
  for (const [path, yaml] of written) writeFileAtomic(join(root, path), yaml);
  const removed = [...dist.keys()].flatMap((environment) => leftovers(root, `dist/${environment}`, files));
  for (const path of removed) remove(root, path);
  return [...written.map(([path]) => path), ...removed].sort();
}

/**
 * Writes what is rendered of all environments, as {@link writeDist} does, and removes the files of others: of those that are no
 * longer declared, and `dist/<cluster>` of a version that knew no environments.
 */
export function writeWholeDist(root: string, dist: Dist): readonly string[] {
  const changed = writeDist(root, dist);
  const removed = leftovers(root, 'dist', filesOf(dist));
  for (const path of removed) remove(root, path);
  return [...changed, ...removed].sort();
}

/**
 * Checks that dist/ equals what is rendered of all environments.
 * @throws ProblemsError naming each file that differs, and each folder of an environment that is missing as a whole
 */
export function checkDist(root: string, dist: Dist): void {
  const files = filesOf(dist);
  const problem = (where: string, what: string): Problem => ({
    where,
    what,
    fix: 'run npm run synth and commit dist/',
  });
  const absent = [...dist.keys()]
    .map((name) => `dist/${name}`)
    .filter((folder) => !existsSync(join(root, folder)));
  if (!existsSync(join(root, 'dist'))) throw new ProblemsError([problem('dist/', 'the folder is missing')]);
  throwIfAny([
    ...absent.map((folder) => problem(`${folder}/`, 'the folder is missing')),
    ...[...files].flatMap(([path, yaml]) => {
      if (absent.some((folder) => path.startsWith(`${folder}/`))) return [];
      const found = read(root, path);
      if (found === yaml) return [];
      return [
        problem(path, found === undefined ? 'the file is missing' : 'the file differs from what is declared'),
      ];
    }),
    ...leftovers(root, 'dist', files).map((path) => problem(path, 'nothing declared renders this file')),
  ]);
}

/** The texts by the paths from the project's root. */
function filesOf(dist: Dist): ReadonlyMap<string, string> {
  return new Map(
    [...dist].flatMap(([environment, rendered]) =>
      rendered.map(({ path, yaml }) => [`dist/${environment}/${path}`, yaml] as const),
    ),
  );
}

function read(root: string, path: string): string | undefined {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** The files in a folder that are none of these. */
function leftovers(root: string, folder: string, files: ReadonlyMap<string, string>): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(suffix))
    .map((path) => `${folder}/${path}`)
    .filter((path) => !files.has(path))
    .sort();
}

/** Removes a file, and the folders in dist/ that it leaves empty. */
function remove(root: string, path: string): void {
  rmSync(join(root, path));
  for (let folder = dirname(path); folder !== 'dist'; folder = dirname(folder)) {
    if (readdirSync(join(root, folder)).length > 0) return;
    rmSync(join(root, folder), { recursive: true });
  }
}
