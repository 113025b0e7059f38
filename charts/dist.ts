import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../core/files.ts';
import { throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import type { RenderedStage } from './synth.ts';

/** Suffix of the files that {@link writeDist} owns in dist/. */
const suffix = '.k8s.yaml';

/**
 * Writes the rendered files to dist/: each file is replaced as a whole and only when it differs; files of stages and
 * clusters that are no longer rendered are removed.
 * @param root - project root
 * @returns paths of the written and removed files, relative to the root, in order
 */
export function writeDist(root: string, rendered: readonly RenderedStage[]): readonly string[] {
  const written = rendered.filter(({ path, yaml }) => read(root, path) !== yaml);
  for (const { path, yaml } of written) writeFileAtomic(join(root, 'dist', path), yaml);
  const removed = leftovers(root, rendered);
  for (const path of removed) remove(root, path);
  return [...written.map(({ path }) => path), ...removed].map((path) => `dist/${path}`).sort();
}

/**
 * Checks that dist/ equals what was rendered.
 * @throws ProblemsError naming each file that differs
 */
export function checkDist(root: string, rendered: readonly RenderedStage[]): void {
  const problem = (path: string, what: string): Problem => ({
    where: `dist/${path}`,
    what,
    fix: 'run npm run synth and commit dist/',
  });
  throwIfAny([
    ...rendered.flatMap(({ path, yaml }) => {
      const found = read(root, path);
      if (found === yaml) return [];
      return [
        problem(path, found === undefined ? 'the file is missing' : 'the file differs from what is declared'),
      ];
    }),
    ...leftovers(root, rendered).map((path) => problem(path, 'nothing declared renders this file')),
  ]);
}

function read(root: string, path: string): string | undefined {
  const file = join(root, 'dist', path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function leftovers(root: string, rendered: readonly RenderedStage[]): readonly string[] {
  const dist = join(root, 'dist');
  if (!existsSync(dist)) return [];
  const known = new Set(rendered.map(({ path }) => path));
  return readdirSync(dist, { recursive: true })
    .map((path) => String(path))
    .filter((path) => path.endsWith(suffix) && !known.has(path))
    .sort();
}

/** Removes a file, and the folder of its cluster when it was the last one. */
function remove(root: string, path: string): void {
  const file = join(root, 'dist', path);
  rmSync(file);
  if (dirname(path) !== '.' && readdirSync(dirname(file)).length === 0)
    rmSync(dirname(file), { recursive: true });
}
