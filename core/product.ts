import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Whether this code runs as it was written, in a checkout, and not as JavaScript in an installed package. */
export const isSource = import.meta.filename.endsWith('.ts');

/**
 * Folder of the package that this code is part of: of the checkout, or below the node_modules of a project that uses
 * meshwright. Not the folder of the project whose mesh is declared.
 */
export const productFolder = packageFolder(import.meta.dirname);

/** Version of that package: `0.1.0`. */
export function productVersion(): string {
  const { version } = JSON.parse(readFileSync(join(productFolder, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return version;
}

/** The innermost folder with a package.json, from a folder of it on upward. */
function packageFolder(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error(`${import.meta.filename} is in no package`);
  return packageFolder(above);
}
