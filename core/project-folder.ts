import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The file of a project that its mesh is declared in. */
export const declarationFile = 'mesh.ts';

/** The innermost folder with a mesh.ts, from this one on upward; undefined where there is none. */
export function projectFolder(folder: string): string | undefined {
  if (existsSync(join(folder, declarationFile))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : projectFolder(above);
}
