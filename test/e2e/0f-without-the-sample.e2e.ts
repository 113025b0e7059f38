import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { samplePaths } from '../../core/testing/sample.ts';
import { copyProject } from '../../scaffold/scaffold.ts';
import { addCanary, deleteSample, writeOwnMesh } from '../../scaffold/testing/own-mesh.ts';
import { root } from './checkout/cli.ts';
import { everything } from './everything.ts';

const minute = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'without-the-sample-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A copy of the checkout with a folder of packages of its own: the results of its tests are not those of this checkout. */
function copyOf(name: string): string {
  const copy = join(folder, name);
  mkdirSync(copy);
  copyProject(root, copy);
  const packages = join(copy, 'node_modules');
  rmSync(packages);
  mkdirSync(packages);
  for (const entry of readdirSync(join(root, 'node_modules')).filter((each) => !each.startsWith('.results-')))
    symlinkSync(join(root, 'node_modules', entry), join(packages, entry));
  return copy;
}

/** Runs one of the scripts of a copy; returns what it said when it failed. */
function failureOf(copy: string, script: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(copy, 'scripts', `${script}.js`), ...args],
    {
      cwd: copy,
      encoding: 'utf8',
      maxBuffer: 64 * 2 ** 20,
      // What the suites set is not for the tests of the copy.
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: undefined, MESHWRIGHT_STATE_DIR: undefined },
    },
  );
  return status === 0 ? '' : `${script} ended with ${status}\n${stdout}${stderr}`;
}

/** The tests that look at the declaration, what is rendered of it, the apps and the documents. */
const lookAtDeclarations = [
  ...['apps/(?!gateway|runtime)', 'apps/gateway/openapi', 'charts', 'cli', 'images/lock', 'infra/plan'],
  ...['infra/policy', 'infra/pulumi', 'scaffold/edits', 'test/sample', 'test/structure'],
];

/** Makes the service `reviews`, gives it a canary, and renders it. */
function addReviews(copy: string): void {
  expect(failureOf(copy, 'run', 'new', 'reviews')).toBe('');
  const mesh = join(copy, 'mesh.ts');
  writeFileSync(mesh, addCanary(readFileSync(mesh, 'utf8'), 'reviews'));
  expect(failureOf(copy, 'run', 'synth')).toBe('');
}

const workloadsOf = (copy: string, cluster: string) =>
  readFileSync(join(copy, `dist/lab/${cluster}/50-workloads.k8s.yaml`), 'utf8');

// Each runs most of the unit tests. In CI, those of test/structure and scaffold/ stand for them.
(everything ? describe : describe.skip)('npm test', () => {
  describe('without the sample', () => {
    let copy: string;
    beforeAll(() => {
      copy = copyOf('nothing');
      expect(samplePaths().filter((path) => !existsSync(join(copy, path)))).toEqual([]);
      deleteSample(copy);
    });

    test(
      'passes: format, lint, types, protos and every unit test of the libraries',
      () => {
        expect(failureOf(copy, 'check')).toBe('');
        const results = join(copy, 'node_modules', '.results-unit.json');
        const { numPassedTests } = JSON.parse(readFileSync(results, 'utf8')) as {
          readonly numPassedTests: number;
        };
        expect(numPassedTests).toBeGreaterThan(4_500);
      },
      60 * minute,
    );

    test(
      'passes with another mesh in its place, to which a service and a canary of it were added',
      () => {
        writeOwnMesh(copy);
        addReviews(copy);
        expect(workloadsOf(copy, 'north')).toContain('name: reviews-v2\n');
        expect(failureOf(copy, 'jest', 'unit', ...lookAtDeclarations)).toBe('');
        expect(failureOf(copy, 'run', 'synth', '--check')).toBe('');
      },
      60 * minute,
    );
  });

  test(
    'passes with a service that was added to the sample, and with a canary of it',
    () => {
      const copy = copyOf('reviews');
      addReviews(copy);
      expect(workloadsOf(copy, 'east')).toContain('name: reviews-v2\n');
      expect(failureOf(copy, 'jest', 'unit', ...lookAtDeclarations)).toBe('');
      expect(failureOf(copy, 'run', 'synth', '--check')).toBe('');
    },
    60 * minute,
  );
});
