import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** Files of a project by their paths from its root, with `/`. */
export type Files = readonly string[];

/**
 * Relative imports of sources, those of types and `import()` included.
 * @returns for each imported path, the files that import it; a path that is gone included
 */
export function importers(root: string, files: Files): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of files) {
    for (const { fileName } of ts.preProcessFile(readFileSync(join(root, file), 'utf8')).importedFiles) {
      if (!fileName.startsWith('.')) continue;
      const path = posix.join(posix.dirname(file), fileName);
      found.set(path, (found.get(path) ?? new Set()).add(file));
    }
  }
  return found;
}

/** The files themselves, and all that import them, directly or by others. */
export function dependents(
  files: Iterable<string>,
  graph: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const reached = new Set(files);
  // A set that grows while it is walked is walked to its end.
  for (const file of reached) for (const importer of graph.get(file) ?? []) reached.add(importer);
  return reached;
}
