import { existsSync, readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../core/files.ts';
import type { ProjectFile } from './templates.ts';

/** Writes all files, or restores them all when one fails. */
export function writeAll(root: string, files: readonly ProjectFile[]): void {
  const before = files.map(({ path }) => {
    const file = join(root, path);
    return { file, text: existsSync(file) ? readFileSync(file, 'utf8') : undefined };
  });
  try {
    for (const { path, text } of files) writeFileAtomic(join(root, path), text);
  } catch (error) {
    for (const { file, text } of before) {
      if (text === undefined) removeWithFolders(file);
      else writeFileAtomic(file, text);
    }
    throw error;
  }
}

/** Removes a file and the folders that are empty without it. */
function removeWithFolders(file: string): void {
  rmSync(file, { force: true });
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (!existsSync(folder)) continue;
    if (readdirSync(folder).length > 0) return;
    rmdirSync(folder);
  }
}
