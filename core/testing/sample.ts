import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This checkout. */
const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The paths that are the sample's, and that nothing else may need: those of the command that CONTRIBUTING.md deletes it with.
 */
export function samplePaths(): readonly string[] {
  const [, paths] = /^rm -r (mesh\.ts .+)$/m.exec(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')) ?? [];
  if (paths === undefined) throw new Error('CONTRIBUTING.md: has no line `rm -r mesh.ts ...`');
  return paths.split(' ');
}
