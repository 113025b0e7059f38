import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');

test('no unit test, nor what tests share, imports the mesh that is declared here: its services come and go', () => {
  const rooms = '{apps,bench,charts,cli,core,http-rule,images,infra,lab,packaging,scaffold,toolchain}';
  const files = globSync([`${rooms}/**/*.test.ts`, `${rooms}/**/testing/*.ts`], { cwd: root });
  expect(files.length).toBeGreaterThan(300);
  const importers = files.filter((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^import [^;]* from '([^']+)';$/gm)].some(
      ([, path = '']) =>
        path.startsWith('.') && relative(root, join(root, dirname(file), path)) === 'mesh.ts',
    ),
  );
  // That of the stack files beside it.
  expect(importers).toEqual(['infra/plan/stacks.test.ts']);
});
