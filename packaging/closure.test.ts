import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { closureOf } from './closure.ts';

let folder: string;
const write = (file: string, text: string) => {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'closure-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('follows imports, exports and imports at run time, and collects packages by their names', () => {
  write(
    'a/main.js',
    "import 'zod';\nimport { join } from 'node:path';\nexport * from '../b.js';\nimport fs from 'fs';",
  );
  write('b.js', "const c = await import('./c.js');\nimport x from '@scope/name/inner.js';");
  write('c.js', "import './a/main.js';");
  write('unused.js', '');
  expect(closureOf(folder, ['a/main.js'])).toEqual({
    files: ['a/main.js', 'b.js', 'c.js'],
    packages: ['@scope/name', 'zod'],
  });
});

test('leaves out what another package has', () => {
  write('main.js', "await import('./lab.js');");
  write('lab.js', "import 'ws';");
  expect(closureOf(folder, ['main.js'], (file) => file === 'lab.js')).toEqual({
    files: ['main.js'],
    packages: [],
  });
});

test('follows declarations through declarations, by whichever name they import', () => {
  write('index.d.ts', "export * from './one.ts';\nimport type { T } from './two.js';\nexport type U = T;");
  write('one.d.ts', '');
  write('two.d.ts', "import type { k8s } from 'cdk8s-plus-28';");
  expect(closureOf(folder, ['index.d.ts'])).toEqual({
    files: ['index.d.ts', 'one.d.ts', 'two.d.ts'],
    packages: ['cdk8s-plus-28'],
  });
});

test('says which file is missing', () => {
  write('main.js', "import './gone.js';");
  expect(() => closureOf(folder, ['main.js'])).toThrow(new Error('gone.js was not compiled'));
});
