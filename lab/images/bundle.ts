import { build } from 'esbuild';
import type { BuildFailure, Message } from 'esbuild';
import { ProblemsError } from '../../core/problem.ts';

/** CommonJS packages inside an ES module still ask for `require`. */
const banner =
  "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";

/**
 * Bundles `<directory>/main.ts` and all it imports into one ES module for Node 24: the same bytes for the same
 * sources, wherever the project lies.
 * @param directory Relative to the root: `apps/catalog`.
 * @throws ProblemsError (exit code 2) with every error by file and line.
 */
export async function bundleApp(root: string, directory: string): Promise<string> {
  try {
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: [`${directory}/main.ts`],
      bundle: true,
      write: false,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      keepNames: true,
      banner: { js: banner },
      logLevel: 'silent',
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw new ProblemsError(error.errors.map((message) => toProblem(directory, message)));
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error;
}

function toProblem(directory: string, { text, location }: Message) {
  const where = location === null ? directory : `${location.file}:${location.line}:${location.column + 1}`;
  return { where, what: text };
}
