import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The `pulumi` command on PATH; undefined when there is none. */
export function findPulumi(path = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'pulumi'))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
