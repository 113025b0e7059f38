import { join, relative } from 'node:path';
import ts from 'typescript';
import { ProblemsError } from '../core/problem.ts';

/**
 * Compiles sources, and all they import, to JavaScript with declarations.
 * @param root - root of the checkout
 * @param sources - relative to the root
 * @param folder - where each file is written to, by its path in the checkout
 * @throws ProblemsError with every error of the compiler
 */
export function emit(root: string, sources: readonly string[], folder: string): void {
  const file = join(root, 'tsconfig.json');
  const read = ts.getParsedCommandLineOfConfigFile(
    file,
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
  );
  if (read === undefined) throw new Error(`${file} cannot be read`);
  const options: ts.CompilerOptions = {
    ...read.options,
    noEmit: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    rootDir: root,
    outDir: folder,
  };
  const program = ts.createProgram(
    sources.map((source) => join(root, source)),
    options,
  );
  const { diagnostics } = program.emit();
  const found = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (found.length > 0)
    throw new ProblemsError(
      found.map((one) => toProblem(root, one)),
      1,
    );
}

function fail(diagnostic: ts.Diagnostic): never {
  throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
}

function toProblem(root: string, { file, start, messageText }: ts.Diagnostic) {
  const what = ts.flattenDiagnosticMessageText(messageText, '\n');
  if (file === undefined || start === undefined) return { where: 'tsc', what };
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  return { where: `${relative(root, file.fileName)}:${line + 1}:${character + 1}`, what };
}
