import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { packagesLoadedBy } from './testing/loaded-packages.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const { devDependencies } = read('package.json') as {
  readonly devDependencies: Readonly<Record<string, string>>;
};
const { packages } = read('package-lock.json') as {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
};

/** Those that a project has only while it is developed: no dependency of it leads to them as well. */
const developmentOnly = (loaded: readonly string[]) =>
  loaded.filter((name) => {
    const { dev = false, devOptional = false } = packages[`node_modules/${name}`] ?? {};
    return name in devDependencies && (dev || devOptional);
  });

test('a declaration needs no development dependency, such as the bundler', () => {
  const loaded = packagesLoadedBy('charts/index.ts');
  expect(loaded).toContain('cdk8s');
  expect(developmentOnly(loaded)).toEqual([]);
});

test('a module that needs one is seen to load it', () => {
  expect(developmentOnly(packagesLoadedBy('scaffold/edits.ts'))).toEqual(['typescript']);
});
