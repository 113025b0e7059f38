import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyProject, scaffold } from './scaffold.ts';
import { addCanary, writeOwnMesh } from './testing/own-mesh.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const minute = 60_000;
const copy = mkdtempSync(join(tmpdir(), 'scaffold-'));

/** Runs a program of the copy's; returns what it said when it failed. */
function failureOf(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

const npmRun = (...args: readonly string[]) =>
  failureOf(process.execPath, join(copy, 'scripts/run.js'), ...args);

const bin = (name: string) => join(copy, 'node_modules/.bin', name);

/** Every file of the copy that is the project's, with its text. */
function snapshot(): Readonly<Record<string, string>> {
  const rooms = ['apps', 'charts', 'dist', 'proto', 'gen'];
  const files = rooms.flatMap((room) =>
    readdirSync(join(copy, room), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(file, 'utf8')]));
}

beforeAll(() => {
  copyProject(root, copy);
  // The sample comes and goes; `new` is to work with any mesh.
  writeOwnMesh(copy);
  expect(npmRun('synth')).toBe('');
}, minute);
afterAll(() => {
  rmSync(copy, { recursive: true });
});

describe('a failure leaves the project as it was', () => {
  test.each([
    [
      'catalog',
      'apps/catalog: there is an app of this name; fix: choose another name\n' +
        'proto/test/catalog: there is a proto package of this name; fix: choose another name',
    ],
    ['runtime', 'apps/runtime: there is an app of this name; fix: choose another name'],
    [
      'products',
      'proto/test/catalog/v1/catalog.proto: serves the HTTP path /v1/products already; fix: choose another name',
    ],
    ['edge', 'mesh.ts: already uses the name; received "edge"; fix: choose another name'],
  ])('%s', async (name, message) => {
    const before = snapshot();
    await expect(scaffold(copy, name)).rejects.toThrow(new Error(message));
    expect(snapshot()).toEqual(before);
  });

  test(
    'a mesh that does not synthesize',
    async () => {
      const config = join(copy, 'apps/orders/config.yml');
      const text = readFileSync(config, 'utf8');
      writeFileSync(config, text.replace('replicas: 1', 'replicas: many'));
      const before = snapshot();
      await expect(scaffold(copy, 'test-parcels')).rejects.toThrow(
        new Error(
          'npm run synth: failed in a copy of the project with the new service; the project is as it was:\n' +
            'apps/orders/config.yml: replicas: wrong value; received "many"; allowed a whole number from 0 to 1000',
        ),
      );
      expect(snapshot()).toEqual(before);
      expect(existsSync(join(copy, 'apps/test-parcels'))).toBe(false);
      writeFileSync(config, text);
    },
    minute,
  );
});

/** What the tests of the copy's service, and those that look at every service, say when they fail. */
function failuresOfTests(): string {
  const suites = ['apps/test-parcels', 'apps/config', 'cli/docs', 'charts/synth'];
  const jest = join(copy, 'node_modules/jest/bin/jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const some = ['-t', '^(?!any valid mesh)', '--selectProjects', 'unit'];
  return failureOf(process.execPath, ...flags, jest, ...suites, ...some);
}

describe('a service that was made', () => {
  beforeAll(async () => {
    const { created, changed } = await scaffold(copy, 'test-parcels');
    expect(created).toEqual([
      'proto/test/test_parcels/v1/test_parcels.proto',
      'apps/test-parcels/config.yml',
      'apps/test-parcels/handlers.test.ts',
      'apps/test-parcels/handlers.ts',
      'apps/test-parcels/main.ts',
      'apps/test-parcels/store.ts',
    ]);
    expect(changed).toEqual(['mesh.ts']);
  }, minute);

  const made = ['apps/test-parcels', 'mesh.ts'];

  test('is formatted', () => {
    expect(failureOf(bin('prettier'), '--check', ...made)).toBe('');
  });

  test('has a proto in the style of the others', () => {
    expect(failureOf(bin('buf'), 'lint', 'proto')).toBe('');
  });

  test(
    'has types',
    () => {
      // What was made and what it leans on: infra and lab cost twice as long and know nothing of it.
      const include = ['apps/test-parcels', 'apps/config', 'mesh.ts', 'gen/test'];
      writeFileSync(
        join(copy, 'tsconfig.made.json'),
        JSON.stringify({ extends: './tsconfig.json', include }),
      );
      expect(failureOf(bin('tsc'), '--noEmit', '-p', 'tsconfig.made.json')).toBe('');
    },
    minute,
  );

  test(
    'passes the linter',
    () => {
      expect(failureOf(bin('eslint'), '--max-warnings', '0', ...made)).toBe('');
    },
    minute,
  );

  test(
    'passes its own test, and those that look at every service',
    () => {
      expect(failuresOfTests()).toBe('');
    },
    minute,
  );

  test('is in dist/, which is fresh', () => {
    expect(npmRun('synth', '--check')).toBe('');
    for (const folder of ['lab/north', 'lab/south', 'prod/north', 'prod/south']) {
      const yaml = readFileSync(join(copy, `dist/${folder}/50-workloads.k8s.yaml`), 'utf8');
      expect(yaml).toMatch(/image: \S+\/test-parcels:0\.1\.0-[0-9a-f]{12}@sha256:[0-9a-f]{64}$/m);
    }
  });

  test(
    'may have a canary, with which the same tests pass',
    () => {
      const mesh = join(copy, 'mesh.ts');
      writeFileSync(mesh, addCanary(readFileSync(mesh, 'utf8'), 'testParcels'));
      expect(npmRun('synth')).toBe('');
      const yaml = readFileSync(join(copy, 'dist/lab/north/50-workloads.k8s.yaml'), 'utf8');
      expect(yaml).toContain('name: test-parcels-v2\n');
      expect(failuresOfTests()).toBe('');
    },
    2 * minute,
  );
});
