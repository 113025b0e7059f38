import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';

/** A fenced `ts` block of a document. */
export interface Example {
  /** Heading of the section it is in. */
  readonly section: string;
  /** The section, and where the block begins: `Mesh (constructs.md:24)`. */
  readonly title: string;
  readonly code: string;
  readonly expected: 'synthesizes' | 'is refused' | 'does not compile';
  /** What synth has to say, its lines joined by a space; empty when the example synthesizes. */
  readonly message: string;
}

const marks = { 'refused:': 'is refused', 'does not compile:': 'does not compile' } as const;

/** The examples of a Markdown file, in order. A mark and its message are the comment that a block begins with. */
export function readExamples(file: string): readonly Example[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(({ 1: code = '', index }) => {
    const before = text.slice(0, index);
    const section = [...before.matchAll(/^## (.+)$/gm)].at(-1)?.[1] ?? '';
    const title = `${section} (${basename(file)}:${before.split('\n').length})`;
    const comment = /^(?:\/\/.*\n)*/
      .exec(code)?.[0]
      .replaceAll(/^\/\/ ?/gm, '')
      .trim()
      .replaceAll('\n', ' ');
    for (const [mark, expected] of Object.entries(marks)) {
      if (comment?.startsWith(mark) !== true) continue;
      return { section, title, code, expected, message: comment.slice(mark.length).trim() };
    }
    return { section, title, code, expected: 'synthesizes', message: '' };
  });
}

/**
 * Type-checks the examples with the project's options, each as the body of a function of a module beside
 * charts/index.ts that imports all of that.
 * @param root - project root
 * @param declarations - what the examples may use beside the library
 * @returns the errors of each example that has any; an error elsewhere throws
 */
export function typeCheck(
  root: string,
  declarations: string,
  examples: readonly Example[],
): ReadonlyMap<Example, readonly string[]> {
  const library = join(root, 'charts/index.ts');
  const file = join(root, 'charts/examples.generated.ts');
  let source = `import { ${exportedNames(library).join(', ')} } from './index.ts';\n${declarations}\n`;
  const starts = examples.map(({ code }, index) => {
    const start = source.length;
    source += `export function example${index}() {\n${code}}\n`;
    return start;
  });
  const options = compilerOptions(root);
  const host = ts.createCompilerHost(options);
  // The module is never written.
  const program = ts.createProgram([file], options, {
    ...host,
    fileExists: (path) => path === file || host.fileExists(path),
    getSourceFile: (path, target, ...rest) =>
      path === file ? ts.createSourceFile(path, source, target) : host.getSourceFile(path, target, ...rest),
  });
  const errors = new Map<Example, string[]>();
  const module = program.getSourceFile(file);
  for (const { start = 0, messageText } of [
    ...program.getSyntacticDiagnostics(module),
    ...program.getSemanticDiagnostics(module),
  ]) {
    const message = ts.flattenDiagnosticMessageText(messageText, '\n');
    const example = examples[starts.findLastIndex((from) => from <= start)];
    if (example === undefined) throw new Error(message);
    errors.set(example, [...(errors.get(example) ?? []), message]);
  }
  return errors;
}

/** The project's options; an example may leave a value unused. */
function compilerOptions(root: string): ts.CompilerOptions {
  const config = join(root, 'tsconfig.json');
  const { config: json } = ts.readConfigFile(config, (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(json, { ...ts.sys, readDirectory: () => [] }, root);
  return { ...options, noUnusedLocals: false, noUnusedParameters: false };
}

/** The names a module exports by `export { ... } from`, as an import writes them. */
function exportedNames(file: string): readonly string[] {
  const module = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext);
  return module.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) return [];
    if (!ts.isNamedExports(statement.exportClause)) return [];
    return statement.exportClause.elements.map(({ name, isTypeOnly }) =>
      isTypeOnly || statement.isTypeOnly ? `type ${name.text}` : name.text,
    );
  });
}
