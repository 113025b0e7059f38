import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** What some compiled files need, themselves included. */
export interface Closure {
  /** Files, relative to the folder, in order. */
  readonly files: readonly string[];
  /** The npm packages that they import. */
  readonly packages: readonly string[];
}

/**
 * Follows imports, also those that are made while a program runs.
 * @param folder - of the compiled files
 * @param entries - relative to it
 * @param isElsewhere - whether a file is not to be followed: another package has it
 */
export function closureOf(
  folder: string,
  entries: readonly string[],
  isElsewhere: (file: string) => boolean = () => false,
): Closure {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file) || isElsewhere(file)) return;
    files.add(file);
    for (const name of importsOf(join(folder, file))) {
      if (name.startsWith('.')) visit(resolved(folder, join(dirname(file), name), file.endsWith('.d.ts')));
      else if (!isBuiltin(name)) packages.add(packageOf(name));
    }
  };
  entries.forEach(visit);
  return { files: [...files].sort(), packages: [...packages].sort() };
}

function importsOf(path: string): readonly string[] {
  return ts
    .preProcessFile(readFileSync(path, 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => fileName);
}

/** Declarations are followed through declarations: they name the JavaScript, or as here the source. */
function resolved(folder: string, file: string, isDeclaration: boolean): string {
  const found = isDeclaration ? file.replace(/\.[jt]s$/, '.d.ts') : file;
  if (!existsSync(join(folder, found))) throw new Error(`${found} was not compiled`);
  return found;
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
