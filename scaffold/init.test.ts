import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import ts from 'typescript';
import { init } from './init.ts';

let folder: string;
let product: string;
const write = (path: string, content: unknown) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(content));
};
const manifest = (): unknown => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'init-'));
  product = join(folder, '.product');
  const project = { dependencies: { meshwright: '1.2.3' }, devDependencies: { typescript: '6.0.3' } };
  write(join(product, 'package.json'), { name: 'meshwright', meshwright: { project } });
  write(join(product, 'images.lock.json'), { base: { node: '24.21.0' }, apps: { gone: {} } });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const written = [
  ...['package.json', 'mesh.ts', 'README.md', 'tsconfig.json', 'buf.yaml', 'buf.gen.yaml', 'Pulumi.yaml'],
  ...[
    'Pulumi.lab.yaml',
    'Pulumi.prod.yaml',
    'infra/index.ts',
    '.gitignore',
    '.gitattributes',
    '.github/workflows/check.yml',
  ],
  'proto/acme/greetings/v1/greetings.proto',
  ...['config.yml', 'handlers.test.ts', 'handlers.ts', 'main.ts', 'store.ts'].map(
    (file) => `apps/greetings/${file}`,
  ),
  'images.lock.json',
];

test('makes a project in an empty folder, with the base of the images and the versions of the packages', () => {
  expect(init(folder, 'acme', product)).toEqual({ mesh: 'acme', written, kept: [] });
  for (const path of written) expect(existsSync(join(folder, path))).toBe(true);
  expect(manifest()).toEqual({
    name: 'acme',
    version: '0.0.0',
    private: true,
    type: 'module',
    meshwright: { protoPackage: 'acme' },
    scripts: {
      ...Object.fromEntries(
        ['up', 'down', 'status', 'synth', 'new', 'images', 'export'].map((name) => [
          name,
          `meshwright ${name}`,
        ]),
      ),
      test: "meshwright synth --check && tsc && node --test 'apps/**/*.test.ts'",
    },
    dependencies: { meshwright: '1.2.3' },
    devDependencies: { typescript: '6.0.3' },
  });
  expect(JSON.parse(readFileSync(join(folder, 'images.lock.json'), 'utf8'))).toEqual({
    base: { node: '24.21.0' },
    apps: {},
  });
  expect(readFileSync(join(folder, 'mesh.ts'), 'utf8')).toContain("new Mesh('acme', ");
});

test('writes TypeScript that a compiler binds, each name once', () => {
  init(folder, 'acme', product);
  const sources = written.filter((path) => path.endsWith('.ts')).map((path) => join(folder, path));
  // Without the packages: what is asked is of each file alone, not of what it imports.
  const program = ts.createProgram(sources, {
    noResolve: true,
    noLib: true,
    types: [],
    target: ts.ScriptTarget.ESNext,
  });
  const alone = [
    ...program.getSyntacticDiagnostics(),
    ...sources.flatMap((path) => duplicatesIn(program.getSourceFile(path))),
  ];
  expect(alone).toEqual([]);
});

/** The names that a file's imports and declarations at its top have more than once. */
function duplicatesIn(file: ts.SourceFile | undefined): readonly string[] {
  const names = (file?.statements ?? []).flatMap((statement) => {
    if (ts.isImportDeclaration(statement)) {
      const bindings = statement.importClause?.namedBindings;
      const isType = statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      return bindings !== undefined && ts.isNamedImports(bindings) && !isType
        ? bindings.elements.map(({ name }) => name.text)
        : [];
    }
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.map(({ name }) => name.getText(file));
  });
  return names.filter((name, index) => names.indexOf(name) !== index);
}

test('keeps what a package.json has, such as packages from files, but not the test that npm init makes up', () => {
  write(join(folder, 'package.json'), {
    name: 'mine',
    type: 'commonjs',
    scripts: { test: 'echo "Error: no test specified" && exit 1', up: 'mine' },
    dependencies: { zod: '4.0.0', meshwright: 'file:meshwright.tgz' },
  });
  expect(init(folder, 'acme', product).kept).toEqual(['up']);
  expect(manifest()).toMatchObject({
    name: 'mine',
    type: 'module',
    scripts: { up: 'mine', test: expect.stringContaining('meshwright synth --check') },
    dependencies: { zod: '4.0.0', meshwright: 'file:meshwright.tgz' },
    devDependencies: { typescript: '6.0.3' },
  });
});

test('overwrites nothing, and names every file that is there already', () => {
  write(join(folder, 'mesh.ts'), '');
  write(join(folder, 'apps/greetings/main.ts'), '');
  const before = readdirSync(folder, { recursive: true });
  const fix = 'run the command in a folder without it';
  expect(() => init(folder, 'acme', product)).toThrow(
    new Error(
      `mesh.ts: is there already; fix: ${fix}\napps/greetings/main.ts: is there already; fix: ${fix}`,
    ),
  );
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
});

test.each([
  [
    'my-shop',
    'meshwright init: is not a valid name of a mesh; received "my-shop"; ' +
      'allowed a-z and 0-9, starting with a letter, at most 31 characters, such as shop',
  ],
  [
    undefined,
    'the folder\'s name, which the mesh gets: is not a valid name of a mesh; received "X"; ' +
      'allowed a-z and 0-9, starting with a letter, at most 31 characters, such as shop; fix: name the mesh: meshwright init NAME',
  ],
])('refuses the name %j', (name, message) => {
  const target = name === undefined ? join(folder, 'X') : folder;
  expect(() => init(target, name, product)).toThrow(new Error(message));
});

test.each([
  ['{', 'is not valid JSON'],
  ['[]', 'is not a JSON object'],
])('refuses the package.json %j', (text, what) => {
  const file = join(folder, 'package.json');
  writeFileSync(file, text);
  expect(() => init(folder, 'acme', product)).toThrow(
    new Error(`${file}: ${what}; fix: correct it, or make a new one with npm init`),
  );
});

test('takes a package.json with a byte order mark, and names what in one is no text', () => {
  const file = join(folder, 'package.json');
  writeFileSync(file, '\uFEFF{"name":"mine","dependencies":{"a":{}}}');
  expect(() => init(folder, 'acme', product)).toThrow(
    new Error('package.json: dependencies.a: Invalid input: expected string, received object'),
  );
});

test('makes no project within another one, and names that', () => {
  write(join(folder, 'mesh.ts'), '');
  const inner = join(folder, 'apps', 'acme');
  expect(() => init(inner, undefined, product)).toThrow(
    new Error(
      `${inner}: is in a project already, that of ${join(folder, 'mesh.ts')}; fix: add a service to that one with \`npm run new -- NAME\`, or run the command in a folder outside of it`,
    ),
  );
  expect(existsSync(inner)).toBe(false);
});
