import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { run } from '../core/run.ts';
import { bundleApp } from './bundle.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

const packageJson = (name: string, version: string, more: object) =>
  JSON.stringify({ name, version, main: 'index.js', ...more });

const app = {
  'apps/echo/main.ts': `import { shout } from '../runtime/shout.ts';
import old from 'old-package';
const text: string = await Promise.resolve(shout('hello'));
console.log(text, old.separator, shout.name);
`,
  'apps/runtime/shout.ts': 'export function shout(text: string): string { return text.toUpperCase(); }\n',
  'node_modules/old-package/package.json': packageJson('old-package', '1.0.0', { license: 'MIT' }),
  'node_modules/old-package/index.js': "module.exports = { separator: require('path').sep };\n",
};

test('makes one file that runs alone, CommonJS packages and top-level await included', async () => {
  write(root, app);
  write(root, {
    'out/main.js': (await bundleApp(root, 'apps/echo')).code,
    'out/package.json': '{"type":"module"}',
  });
  rmSync(join(root, 'node_modules'), { recursive: true });
  const { stdout } = await run(process.execPath, [join(root, 'out/main.js')]);
  expect(stdout).toBe('HELLO / shout\n');
});

test('makes the same bytes wherever the project lies', async () => {
  write(join(root, 'here'), app);
  write(join(root, 'somewhere/else'), app);
  expect(await bundleApp(join(root, 'here'), 'apps/echo')).toEqual(
    await bundleApp(join(root, 'somewhere/else'), 'apps/echo'),
  );
});

test('makes the same bytes when a source moves to another folder, one that is loaded on demand included', async () => {
  const lazy = "export const lazy = 'lazy';\n";
  const main = (folder: string) => `import { shout } from '${folder}/shout.ts';
console.log(shout('x'), require('${folder}/lazy.ts').lazy);
`;
  write(join(root, 'here'), {
    'apps/echo/main.ts': main('../runtime'),
    'apps/runtime/shout.ts': app['apps/runtime/shout.ts'],
    'apps/runtime/lazy.ts': lazy,
  });
  write(join(root, 'moved'), {
    'services/echo/main.ts': main('../../shared/rooms'),
    'shared/rooms/shout.ts': app['apps/runtime/shout.ts'],
    'shared/rooms/lazy.ts': lazy,
  });
  const { code } = await bundleApp(join(root, 'here'), 'apps/echo');
  expect(code).toContain('"lazy.ts"(');
  expect(await bundleApp(join(root, 'moved'), 'services/echo')).toEqual({ code, packages: [] });
});

test('makes the same bytes when the packages are another folder, by a link', async () => {
  write(join(root, 'here'), app);
  write(join(root, 'linked'), app);
  renameSync(join(root, 'linked/node_modules'), join(root, 'shared'));
  symlinkSync(join(root, 'shared'), join(root, 'linked/node_modules'));
  expect(await bundleApp(join(root, 'linked'), 'apps/echo')).toEqual(
    await bundleApp(join(root, 'here'), 'apps/echo'),
  );
});

test('lists the packages of which something is left in the bundle', async () => {
  write(root, app);
  write(root, {
    'apps/echo/main.ts': `${app['apps/echo/main.ts']}import { unused } from '@scope/tree';\n`,
    'node_modules/@scope/tree/package.json': packageJson('@scope/tree', '2.0.0', { sideEffects: false }),
    'node_modules/@scope/tree/index.js': 'export const unused = 1;\n',
    'node_modules/@scope/whole/package.json': packageJson('@scope/whole', '3.1.0', { license: 'ISC' }),
    'node_modules/@scope/whole/index.js': "import 'old-package'; globalThis.whole = true;\n",
    'apps/runtime/shout.ts': `import '@scope/whole';\n${app['apps/runtime/shout.ts']}`,
  });
  expect((await bundleApp(root, 'apps/echo')).packages).toEqual([
    { name: '@scope/whole', version: '3.1.0', license: 'ISC' },
    { name: 'old-package', version: '1.0.0', license: 'MIT' },
  ]);
});

test('names every place that does not bundle', async () => {
  write(root, { 'apps/bad/main.ts': "import './missing.ts';\nimport 'not-installed';\n" });
  await expect(bundleApp(root, 'apps/bad')).rejects.toThrow(
    'apps/bad/main.ts:1:8: Could not resolve "./missing.ts"\napps/bad/main.ts:2:8: Could not resolve "not-installed"',
  );
  await expect(bundleApp(root, 'apps/none')).rejects.toThrow(
    'apps/none: Could not resolve "apps/none/main.ts"',
  );
});
