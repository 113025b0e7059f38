import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const notSources = /^(node_modules|gen|dist|coverage|\..*)$/;

// A test in a folder that no list names would never run, and nobody would hear of it.
test('every test lies in a folder that the runner looks through', () => {
  const config = readFileSync(join(root, 'jest.config.js'), 'utf8');
  const seen = [...config.matchAll(/'<rootDir>\/([\w/-]+)',/g)].map(([, folder = '']) => folder);
  const tests = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !notSources.test(entry.name))
    .flatMap(({ name }) =>
      readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((path) => `${name}/${path}`),
    )
    .filter((path) => path.endsWith('.test.ts'));
  expect(tests.length).toBeGreaterThan(200);
  expect(tests.filter((path) => !seen.some((folder) => path.startsWith(`${folder}/`)))).toEqual([]);
});
