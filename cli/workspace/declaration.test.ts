import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ProblemsError } from '../../core/problem.ts';
import { loadDeclaration } from './declaration.ts';

let root: string;
beforeEach(() => {
  // Node reads a file with types in a folder of any name.
  root = mkdtempSync(join(tmpdir(), "a project's #1 "));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const charts = pathToFileURL(fileURLToPath(new URL('../../charts/index.ts', import.meta.url))).href;
const head = `import { declare, lab, Mesh } from '${charts}';\n`;
const declared = (body: string) =>
  `${head}export default declare({\n  environments: { lab: {} },\n  mesh: ({ root }) => {\n${body}\n  },\n});\n`;
const clusters = "{ east: { network: 'n', region: 'r', zone: 'z' } }";
const sound = declared(
  `    return new Mesh('demo', { root, trustDomain: 'demo.example', platform: lab, clusters: ${clusters} });`,
);

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
/** Without its cause, which is for those who look for a fault of the library. */
const messageOf = (failing: Promise<unknown>) =>
  failing.then(
    () => 'nothing',
    (error: unknown) => (error instanceof ProblemsError ? error.message : error),
  );
const meshOf = async () => (await loadDeclaration(root)).mesh({ root, environment: 'lab' });

test('a declaration is loaded from the folder that it is asked for, by way of a link too', async () => {
  write({ 'project/mesh.ts': sound });
  symlinkSync(join(root, 'project'), join(root, 'link'));
  for (const folder of ['project', 'link']) {
    const loaded = await loadDeclaration(join(root, folder));
    expect([loaded.environments, loaded.mesh({ root, environment: 'lab' }).name]).toEqual([['lab'], 'demo']);
  }
});

describe('a mistake is told with its place and without a stack trace:', () => {
  const syntax = 'const text: string = 1;\nexport default { a: 1,, };\n';
  const reached = 'fix: correct it; --verbose shows how the line was reached';
  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'a syntax error',
      { 'mesh.ts': syntax },
      'mesh.ts:2: SyntaxError: Unexpected token `,`. Expected identifier, string literal, numeric literal or [ for the computed key; fix: correct it',
    ],
    [
      'one in a file that is imported',
      { 'mesh.ts': "import './parts/orders.ts';\n", 'parts/orders.ts': syntax },
      'parts/orders.ts:2: SyntaxError: Unexpected token `,`. Expected identifier, string literal, numeric literal or [ for the computed key; fix: correct it',
    ],
    [
      'syntax that more than types stand behind',
      { 'mesh.ts': 'enum Stage { a }\n' },
      'mesh.ts:1: SyntaxError: TypeScript enum is not supported in strip-only mode; fix: write it without this syntax: Node runs the file as it stands, with its types removed',
    ],
    [
      'a name that is declared twice',
      { 'mesh.ts': `${head}const a = 1;\nconst a = 2;\n` },
      "mesh.ts: SyntaxError: Identifier 'a' has already been declared; fix: correct it, there or in a file that is imported: `npx tsc --noEmit` names the line",
    ],
    [
      'an import of what the module does not have',
      {
        'mesh.ts': `// First a comment.\nimport { Grpc } from './other.ts';\n`,
        'other.ts': 'export const a = 1;\n',
      },
      "mesh.ts:2: SyntaxError: The requested module './other.ts' does not provide an export named 'Grpc'; fix: correct it",
    ],
    [
      'a file that is not there',
      {
        'mesh.ts': "import './parts/orders.ts';\n",
        'parts/orders.ts': "// Orders.\nimport { x } from './gen/x.js';\n",
      },
      'parts/orders.ts:2: imports parts/gen/x.js, which is not there; fix: correct the path; what is in gen/ is generated from proto/',
    ],
    [
      'a package that is not there',
      { 'mesh.ts': "import { declare } from 'meshwrite';\n" },
      'mesh.ts:1: imports the package meshwrite, which is not installed; fix: correct the name, or run `npm install meshwrite`',
    ],
    [
      'an exception of the file',
      { 'mesh.ts': 'const none: any = undefined;\n\nexport default none.mesh;\n' },
      `mesh.ts:3: TypeError: Cannot read properties of undefined (reading 'mesh'); ${reached}`,
    ],
    [
      'an exception of what it calls',
      { 'mesh.ts': "import { readFileSync } from 'node:fs';\nreadFileSync('/none');\n" },
      `mesh.ts:2: ENOENT: no such file or directory, open '/none'; ${reached}`,
    ],
    [
      'an exception of a package that it calls',
      {
        'mesh.ts': "// A comment.\nimport { fail } from 'failing';\nfail();\n",
        'node_modules/failing/package.json':
          '{ "name": "failing", "type": "module", "exports": "./index.js" }',
        'node_modules/failing/index.js': "export function fail() {\n  throw new Error('no value');\n}\n",
      },
      `mesh.ts:3: no value; ${reached}`,
    ],
    ['what is thrown and no error', { 'mesh.ts': "throw 'no key';\n" }, `mesh.ts: no key; ${reached}`],
    [
      'an exception while the mesh is made',
      { 'mesh.ts': declared('const none: any = undefined;\n\nreturn none.mesh;') },
      `mesh.ts:7: TypeError: Cannot read properties of undefined (reading 'mesh'); ${reached}`,
    ],
    [
      'what the library finds wrong while the mesh is made, as it says it',
      { 'mesh.ts': declared('return undefined;') },
      'mesh.ts: mesh: does not return a mesh; received nothing; allowed the `new Mesh(...)` that it makes; fix: end it with `return mesh`',
    ],
    [
      'no default export',
      { 'mesh.ts': 'export const mesh = 1;\n' },
      'mesh.ts: has no default export; fix: write `export default declare({ environments, mesh })`',
    ],
    [
      'a default export that is something else',
      { 'mesh.ts': 'export default { environments: { lab: {} } };\n' },
      'mesh.ts: its default export is not made by declare; received {"environments":{"lab":{}}}; fix: write `export default declare({ environments, mesh })`',
    ],
    [
      'a declaration of another copy of the library',
      { 'mesh.ts': "export default { [Symbol.for('meshwright.declaration')]: class Mesh {} };\n" },
      'mesh.ts: is declared with another copy of the library than the one that runs it; fix: import declare from the package whose command or program this is, and install that package once',
    ],
  ])('%s', async (_, files, message) => {
    write(files);
    expect(await messageOf(meshOf())).toBe(message);
  });

  test('no file', async () => {
    await expect(meshOf()).rejects.toThrow(
      new Error(
        `mesh.ts: there is none in ${root}; allowed a file whose default export is declare({ environments, mesh }); ` +
          'fix: run the command in the folder of your project, or write the file (docs/environments.md)',
      ),
    );
  });
});
