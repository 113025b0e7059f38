import ts from 'typescript';
import { ProblemsError } from '../core/problem.ts';
import { generatedModule } from './places.ts';
import type { ServiceNames } from './names.ts';

/** Text to put into a source at an offset. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * Declares the service in mesh.ts, in the namespace of the last service and before the edge that exposes the services, and
 * exposes it there too. Existing declarations stay as they are.
 * @throws ProblemsError with the text to paste, when a place is not found, or when one of its names is taken
 */
export function declareService(source: string, names: ServiceNames): string {
  const file = 'mesh.ts';
  const module = parse(source);
  const { name, camel, pascal, one, many } = names;
  const made = find(module, ts.isVariableDeclaration).flatMap((declaration) => {
    const { initializer } = declaration;
    return initializer !== undefined && isNew(initializer, 'GrpcService')
      ? [{ declaration, initializer }]
      : [];
  });
  const own = made.find(({ declaration: { name: id } }) => ts.isIdentifier(id) && id.text === camel);
  if (own === undefined) refuseTaken(file, module, names);
  const last = own ?? made.at(-1);
  const scope = last?.initializer.arguments?.[0]?.getText(module);
  const construct = `const ${camel} = new GrpcService(${scope ?? 'namespace'}, '${name}', { app: 'apps/${name}', service: ${pascal}Service });`;
  if (last === undefined || scope === undefined) {
    throw missing(file, '`const NAME = new GrpcService(...)` to declare it after', construct);
  }
  const { end } = last.declaration;
  const exposed = find(module, ts.isPropertyAssignment)
    .filter(({ name: key }) => key.getText(module) === 'expose')
    .map(({ initializer }) => initializer)
    .filter(ts.isArrayLiteralExpression)
    .filter((list) => list.pos > end);
  const [list] = exposed;
  // Expose the whole service or its methods, as the other services do.
  const whole = list?.elements.some((element) => ts.isIdentifier(element)) !== false;
  const methods = [`get${one.pascal}`, `list${many.pascal}`].map((method) => `${camel}.method.${method}`);
  const entry = whole ? camel : methods.join(', ');
  if (list === undefined || exposed.length > 1) {
    throw missing(file, 'single list `expose: [...]` after the services', entry);
  }
  const statement = statementOf(list);
  // A project without a formatter gets the line as it has to stand.
  const indent = ' '.repeat(module.getLineAndCharacterOfPosition(statement.getStart(module)).character);
  return insert(source, [
    ...importOf(file, module, names),
    ...(own === undefined ? [{ at: statement.pos, text: `\n\n${indent}${construct}` }] : []),
    ...append(module, list, entry, (element) => new RegExp(`\\b${camel}\\b`).test(element.getText(module))),
  ]);
}

/** The statement of the innermost block that contains the node. */
function statementOf(node: ts.Node): ts.Node {
  return ts.isBlock(node.parent) || ts.isSourceFile(node.parent) ? node : statementOf(node.parent);
}

/** Throws when the mesh or the module would get two of one name. */
function refuseTaken(file: string, module: ts.SourceFile, names: ServiceNames): void {
  const { name, camel, pascal } = names;
  const type = `${pascal}Service`;
  const own = generatedModule(names, '.');
  const imported = module.statements
    .filter(ts.isImportDeclaration)
    .filter(({ moduleSpecifier: from }) => !ts.isStringLiteral(from) || from.text !== own)
    .flatMap((declaration) => find(declaration, ts.isImportSpecifier))
    .some((specifier) => specifier.name.text === type);
  const declared = [
    ...find(module, ts.isVariableDeclaration),
    ...find(module, ts.isParameter),
    ...find(module, ts.isBindingElement),
    ...find(module, ts.isFunctionDeclaration),
    ...find(module, ts.isImportSpecifier),
  ].some((declaration) => declaration.name?.getText(module) === camel);
  const constructed = find(module, ts.isNewExpression).some((made) => {
    const argument = made.arguments?.[1];
    return argument !== undefined && ts.isStringLiteral(argument) && argument.text === name;
  });
  if (!declared && !constructed && !imported) return;
  throw new ProblemsError([
    {
      where: file,
      what: 'already uses the name',
      received: declared ? camel : imported ? type : name,
      fix: 'choose another name',
    },
  ]);
}

/** Inserts the import in the order of the modules' paths. */
function importOf(file: string, module: ts.SourceFile, names: ServiceNames): readonly Insertion[] {
  const path = generatedModule(names, '.');
  const statement = `import { ${names.pascal}Service } from '${path}';`;
  const imports = module.statements.filter(ts.isImportDeclaration).flatMap((declaration) => {
    const { moduleSpecifier } = declaration;
    const of = ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : '';
    return of.startsWith(`./gen/${names.protoPackage}/`) ? [{ of, declaration }] : [];
  });
  if (imports.some(({ of }) => of === path)) return [];
  const next = imports.find(({ of }) => of > path);
  if (next !== undefined) return [{ at: next.declaration.getStart(module), text: `${statement}\n` }];
  const last = imports.at(-1);
  if (last === undefined) throw missing(file, `import from ./gen/${names.protoPackage}/`, statement);
  return [{ at: last.declaration.end, text: `\n${statement}` }];
}

function append(
  module: ts.SourceFile,
  list: ts.ArrayLiteralExpression,
  text: string,
  isIt: (element: ts.Expression) => boolean,
): readonly Insertion[] {
  if (list.elements.some(isIt)) return [];
  const last = list.elements.at(-1);
  return last === undefined
    ? [{ at: list.getStart(module) + 1, text }]
    : [{ at: last.end, text: `, ${text}` }];
}

function isNew(node: ts.Node, construct: string): node is ts.NewExpression {
  return ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === construct;
}

function find<T extends ts.Node>(node: ts.Node, is: (node: ts.Node) => node is T): readonly T[] {
  const found: T[] = [];
  const visit = (each: ts.Node) => {
    if (is(each)) found.push(each);
    ts.forEachChild(each, visit);
  };
  visit(node);
  return found;
}

function parse(source: string): ts.SourceFile {
  return ts.createSourceFile('source.ts', source, ts.ScriptTarget.ESNext, true);
}

function insert(source: string, insertions: readonly Insertion[]): string {
  return insertions
    .toSorted((a, b) => b.at - a.at)
    .reduce((text, { at, text: more }) => text.slice(0, at) + more + text.slice(at), source);
}

function missing(where: string, what: string, paste: string): ProblemsError {
  const fix = `add ${paste} by hand, then run the command again`;
  return new ProblemsError([{ where, what: `the service cannot be added: the file has no ${what}`, fix }]);
}
