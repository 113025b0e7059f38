import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Locked {
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  /** Comes within the archive of the package that it lies in, and under that one's digest. */
  readonly inBundle?: boolean;
}

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
const lock = read('package-lock.json') as { readonly packages: Readonly<Record<string, Locked>> };
/** All but the project itself. */
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
const { allowScripts } = read('package.json') as {
  readonly allowScripts: Readonly<Record<string, boolean>>;
};

test('package-lock.json has the digest of every package that npm installs', () => {
  expect(packages.length).toBeGreaterThan(500);
  const without = packages.filter(
    ([, { integrity, inBundle = false }]) => integrity === undefined && !inBundle,
  );
  expect(without.map(([path]) => path)).toEqual([]);
});

// A script can fetch what no lock file knows. These three only check that npm has installed the right optional package.
test('install scripts run for three packages alone, and none for what has no decision', () => {
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name] === true);
  expect(allowed.sort()).toEqual(['@bufbuild/buf', '@swc/core', 'esbuild']);
  const withScript = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
  expect(withScript.filter((name) => !Object.hasOwn(allowScripts, name))).toEqual([]);
});
