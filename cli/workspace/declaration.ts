import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseDeclaration, type Declaration } from '../../charts/declare.ts';
import { oneLine } from '../../core/one-line.ts';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import { productFolder } from '../../core/product.ts';
import { declarationFile } from '../../core/project-folder.ts';

/** Where the library is in a checkout. Its own lines are nobody's mistake in a declaration, and neither are those of packages. */
const library = ['charts', 'core'].map((folder) => join(productFolder, folder) + sep);

/**
 * Loads the declaration of a project: the default export of its `mesh.ts`.
 * @param root - project root
 * @throws ProblemsError (exit 2) when there is none, or when it is not a declaration; for what the file throws, such as a
 * syntax error, with file and line
 */
export async function loadDeclaration(root: string): Promise<Declaration> {
  const file = requireDeclaration(root);
  let module: unknown;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    throw located(error, root);
  }
  const declaration = parseDeclaration((module as { readonly default?: unknown }).default);
  return {
    environments: declaration.environments,
    holes: (environment) => declaration.holes(environment),
    mesh: (of) => {
      try {
        return declaration.mesh(of);
      } catch (error) {
        throw located(error, root);
      }
    },
  };
}

/**
 * The path of a project's `mesh.ts`.
 * @throws ProblemsError (exit 2) when there is none
 */
export function requireDeclaration(root: string): string {
  const file = join(root, declarationFile);
  if (existsSync(file)) return file;
  throw new ProblemsError([
    {
      where: declarationFile,
      what: `there is none in ${root}`,
      allowed: 'a file whose default export is declare({ environments, mesh })',
      fix: 'run the command in the folder of your project, or write the file (docs/environments.md)',
    },
  ]);
}

/** What a declaration threw as a problem of people's: where in the project's own files, and what. Problems stay as they are. */
function located(thrown: unknown, root: string): ProblemsError {
  if (thrown instanceof ProblemsError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const folder = realpathSync(root);
  const told = new ProblemsError([missingImport(error, folder) ?? problemOf(error, placeOf(error, folder))]);
  told.cause = thrown; // `--verbose` shows its stack
  return told;
}

const longest = 300;

function problemOf(error: Error, place: string | undefined): Problem {
  const { name, message } = error;
  const text = oneLine(message, longest);
  return {
    where: place ?? declarationFile,
    what: name === 'Error' ? text : `${name}: ${text}`,
    fix: fixOf(error, place !== undefined),
  };
}

function fixOf(error: Error, isPlaced: boolean): string {
  if ((error as NodeJS.ErrnoException).code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return 'write it without this syntax: Node runs the file as it stands, with its types removed';
  if (!(error instanceof SyntaxError)) return 'correct it; --verbose shows how the line was reached';
  // What only V8 refuses has no place.
  return isPlaced
    ? 'correct it'
    : 'correct it, there or in a file that is imported: `npx tsc --noEmit` names the line';
}

/** An import of a file or a package that is not there: Node says by which file, not by which line. */
function missingImport({ message }: Error, root: string): Problem | undefined {
  const [, kind, missing = '', importer = ''] =
    /^Cannot find (module|package) '(.+)' imported from (.+)$/.exec(message) ?? [];
  if (kind === undefined) return undefined;
  const lines = readFileSync(importer, 'utf8').split('\n');
  const line = lines.findIndex((text) => /['"]/.test(text) && text.includes(basename(missing)));
  return {
    where: `${relative(root, importer)}${line < 0 ? '' : `:${line + 1}`}`,
    ...(kind === 'module'
      ? {
          what: `imports ${relative(root, missing)}, which is not there`,
          fix: 'correct the path; what is in gen/ is generated from proto/',
        }
      : {
          what: `imports the package ${missing}, which is not installed`,
          fix: `correct the name, or run \`npm install ${missing}\``,
        }),
  };
}

/** `mesh.ts:12`: the innermost line of the project's own files in an error's stack. */
function placeOf({ stack = '' }: Error, root: string): string | undefined {
  // A syntax error's stack begins with the place; frames follow, the innermost first.
  for (const [, path = '', line = ''] of stack.matchAll(
    /^(?: +at .*?\(?)?((?:file:\/\/)?\/.*?):(\d+)(?::\d+\)?)?$/gm,
  )) {
    const file = path.startsWith('file:') ? fileURLToPath(path) : path;
    const inside = relative(root, file);
    const isOthers =
      /^\.\.|\bnode_modules\b/.test(inside) || library.some((folder) => file.startsWith(folder));
    if (!isOthers) return `${inside}:${line}`;
  }
  return undefined;
}
