import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { packagesLoadedBy } from './testing/loaded-packages.ts';

const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
const { devDependencies } = JSON.parse(text) as {
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** Those that a project has only while it is developed. */
const developmentOnly = (packages: readonly string[]) => packages.filter((name) => name in devDependencies);

test('a declaration needs no development dependency, such as the bundler', () => {
  const loaded = packagesLoadedBy('charts/index.ts');
  expect(loaded).toContain('cdk8s');
  expect(developmentOnly(loaded)).toEqual([]);
});

test('a module that needs one is seen to load it', () => {
  expect(developmentOnly(packagesLoadedBy('scaffold/edits.ts'))).toEqual(['typescript']);
});
