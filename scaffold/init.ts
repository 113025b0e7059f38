import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { readManifest } from '../core/manifest.ts';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { productFolder } from '../core/product.ts';
import { declarationFile, projectFolder } from '../core/project-folder.ts';
import { writeAll } from './files.ts';
import { namesOf, protoPackageRule } from './names.ts';
import { projectFiles } from './project-files.ts';
import { projectManifest } from './project-manifest.ts';
import { serviceFiles } from './templates.ts';

/** The files that were written, relative to the folder; of package.json alone there may have been one before. */
export interface Initialized {
  readonly mesh: string;
  readonly written: readonly string[];
  /** Scripts of the package.json there was that have the name of a command, and run something else. */
  readonly kept: readonly string[];
}

/**
 * Makes a project: a mesh over two clusters with one service behind an HTTP edge, for a lab and for clusters of one's own.
 * Nothing that is there is overwritten; a package.json gets what it lacks.
 * @param folder - where to
 * @param given - the name of the mesh, of its namespace and of its proto packages. @default - that of the folder
 * @param product - folder of the package whose versions the project gets
 * @throws ProblemsError for a name that is none, for a folder inside of a project, and for every file that is there already
 */
export function init(folder: string, given: string | undefined, product = productFolder): Initialized {
  const mesh = given ?? basename(folder);
  throwIfAny([...outerProblems(folder), ...nameProblems(mesh, given)]);
  const names = namesOf(firstService, mesh);
  if (!('camel' in names)) throw new ProblemsError([names]);
  const files = [
    ...projectFiles(mesh, names),
    ...serviceFiles(names, 'package'),
    { path: lockFile, text: emptyLock(product) },
  ];
  throwIfAny(
    files
      .filter(({ path }) => existsSync(join(folder, path)))
      .map(({ path }) => ({
        where: path,
        what: 'is there already',
        fix: 'run the command in a folder without it',
      })),
  );
  const { text, kept } = projectManifest(mesh, manifestOf(folder), readJson(join(product, 'package.json')));
  const made = [{ path: 'package.json', text }, ...files];
  writeAll(folder, made);
  return { mesh, written: made.map(({ path }) => path), kept };
}

/** A service to begin with; `npm run new` adds others. */
const firstService = 'greetings';

const lockFile = 'images.lock.json';

/** Commands take the innermost project: one within another would hide that from whoever works in its folders. */
function outerProblems(folder: string): readonly Problem[] {
  const outer = projectFolder(dirname(folder));
  if (outer === undefined) return [];
  return [
    {
      where: folder,
      what: `is in a project already, that of ${join(outer, declarationFile)}`,
      fix: 'add a service to that one with `npm run new -- NAME`, or run the command in a folder outside of it',
    },
  ];
}

function nameProblems(mesh: string, given: string | undefined): readonly Problem[] {
  if (protoPackageRule.test(mesh)) return [];
  return [
    {
      where: given === undefined ? "the folder's name, which the mesh gets" : 'meshwright init',
      what: 'is not a valid name of a mesh',
      received: mesh,
      allowed: 'a-z and 0-9, starting with a letter, at most 31 characters, such as shop',
      ...(given === undefined && { fix: 'name the mesh: meshwright init NAME' }),
    },
  ];
}

function manifestOf(folder: string): object | undefined {
  const path = join(folder, 'package.json');
  return existsSync(path) ? readManifest(path) : undefined;
}

/** A lock with the base that meshwright was tried with, and no app: `npm run synth` adds the project's. */
function emptyLock(product: string): string {
  const { base } = lockSchema.parse(readJson(join(product, lockFile)));
  return `${JSON.stringify({ base, apps: {} }, null, 2)}\n`;
}

const lockSchema = z.object({ base: z.unknown() });

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
