import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { samplePaths } from '../../core/testing/sample.ts';
import { roomOf } from '../../scripts/rooms.js';

const root = join(import.meta.dirname, '../..');
const paths = samplePaths();
/** What is generated from the sample's protos is its own, too. */
const generated = paths
  .filter((path) => path.startsWith('proto/'))
  .map((path) => path.replace('proto', 'gen'));
/** A service that `npm run new` adds to the sample's has its proto beside theirs. */
const ofServices = (file: string) => roomOf(file) === 'apps';
const ofSample = (file: string) =>
  [...paths, ...generated].some((path) => file === path || file.startsWith(`${path}/`));

test('the sample is the declaration, what is rendered of it, its protos, apps and tests', () => {
  const [app, proto] = [/^apps\/[\w-]+$/, /^proto\/[\w-]+$/];
  expect(paths.filter((path) => !app.test(path) && !proto.test(path))).toEqual([
    ...['mesh.ts', 'dist', 'test/sample'],
  ]);
});

test('nothing but the sample imports it, types included: no library, no test of one, no suite', () => {
  const rooms =
    '{apps,bench,charts,cli,core,http-rule,images,infra,lab,packaging,scaffold,scripts,test,toolchain}';
  const files = globSync(`${rooms}/**/*.{ts,js}`, { cwd: root }).filter(
    (file) => !ofSample(file) && !ofServices(file),
  );
  expect(files.length).toBeGreaterThan(800);
  const importers = files.flatMap((file) =>
    ts
      .preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
      .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
      .map(({ fileName }) => relative(root, join(root, dirname(file), fileName)))
      .filter(ofSample)
      .map((imported) => `${file} imports ${imported}`),
  );
  expect(importers).toEqual([]);
});
