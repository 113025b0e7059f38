import { createHash, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../core/files.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';

/** File that lists what an export wrote, so that the next export recognizes it. */
export const listFile = 'meshwright-export.json';

const listSchema = z.strictObject({
  version: z.literal(1),
  /** Whose tree it is, such as `environment prod of mesh shop`. Earlier versions did not say. */
  of: z.string().exactOptional(),
  sha256: z.record(z.string(), z.string()),
});

/** The result of writing a folder; paths are relative to it, in order. */
export interface WrittenFolder {
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}

/**
 * Makes a folder contain exactly these files. A new folder is filled beside it and moved into its place as a whole; when
 * nothing differs, nothing is touched.
 * @param of - whose tree it is: the tree of another is not replaced
 * @throws ProblemsError: exit 2 when the folder contains a file that no export wrote or that was edited since, or another tree,
 * and the folder is left unchanged; exit 1 when it cannot be written.
 */
export function writeFolder(
  directory: string,
  files: ReadonlyMap<string, string>,
  of: string,
): WrittenFolder {
  try {
    const target = existsSync(directory) ? realpathSync(directory) : directory;
    const before = readOwn(target, of);
    const after = new Map([...files].map(([path, content]) => [path, sha256(content)]));
    const written = [...after].filter(([path, sum]) => before.get(path) !== sum).map(([path]) => path);
    const removed = [...before.keys()].filter((path) => !after.has(path));
    if (written.length + removed.length > 0)
      replace(target, new Map([...files, [listFile, listOf(after, of)]]));
    return { written, removed, unchanged: files.size - written.length };
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new ProblemsError([{ where: directory, what: `cannot be written: ${message}` }], 1);
  }
}

/** The remaining files of an earlier export, with their checksums. */
function readOwn(directory: string, of: string): ReadonlyMap<string, string> {
  if (!existsSync(directory)) return new Map();
  if (!lstatSync(directory).isDirectory())
    throw new ProblemsError([{ where: directory, what: 'is a file', allowed: 'a folder, or a new path' }]);
  const found = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !lstatSync(join(directory, path)).isDirectory())
    .map((path) => path.split(sep).join('/'))
    .sort();
  if (found.length === 0) return new Map();
  const listed = readList(directory);
  if (listed === undefined) {
    throw new ProblemsError([
      {
        where: directory,
        what: `was not created by npm run export: it has no ${listFile}`,
        allowed: 'a new or empty folder, or one that npm run export created',
        fix: 'choose another folder inside the repository',
      },
    ]);
  }
  if (listed.of !== undefined && listed.of !== of) {
    throw new ProblemsError([
      {
        where: directory,
        what: 'holds the tree of another export, which this one would replace',
        received: of,
        allowed: listed.of,
        fix: 'choose another folder for each environment and mesh, or remove this one first',
      },
    ]);
  }
  const own = new Map<string, string>();
  const problems = found
    .filter((path) => path !== listFile)
    .flatMap((path): Problem[] => {
      const file = join(directory, path);
      const sum = lstatSync(file).isFile() ? sha256(readFileSync(file)) : '';
      own.set(path, sum);
      if (!Object.hasOwn(listed.sha256, path)) {
        const fix = 'move it out of the folder, which every export replaces';
        return [{ where: file, what: 'was not written by an export', fix }];
      }
      if (listed.sha256[path] === sum) return [];
      const fix = 'restore or delete it; make changes in the declaration, or in your own overlay';
      return [{ where: file, what: 'was edited since an export wrote it', fix }];
    });
  if (problems.length > 0) throw new ProblemsError(problems);
  return own;
}

function readList(directory: string): z.infer<typeof listSchema> | undefined {
  try {
    return listSchema.parse(JSON.parse(readFileSync(join(directory, listFile), 'utf8')));
  } catch {
    return undefined;
  }
}

function listOf(sums: ReadonlyMap<string, string>, of: string): string {
  return `${JSON.stringify({ version: 1, of, sha256: Object.fromEntries(sums) }, null, 2)}\n`;
}

/** Node has no call that exchanges two folders, so the folder does not exist for a moment between the two renames. */
function replace(directory: string, files: ReadonlyMap<string, string>): void {
  const suffix = randomBytes(6).toString('hex');
  const temporary = `${directory}.${suffix}.tmp`;
  const old = `${directory}.${suffix}.old`;
  try {
    for (const [path, content] of files) writeFileAtomic(join(temporary, path), content);
    if (!existsSync(directory)) {
      renameSync(temporary, directory);
      return;
    }
    renameSync(directory, old);
    try {
      renameSync(temporary, directory);
    } catch (error) {
      renameSync(old, directory);
      throw error;
    }
    rmSync(old, { recursive: true });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
