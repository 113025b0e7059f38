import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

interface Suite {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
}

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'runner-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs jest for fixtures; the suites by the names of their files. */
function run(pattern: string, processes: number): ReadonlyMap<string, Suite> {
  const config = {
    rootDir: join(import.meta.dirname, 'fixtures'),
    runner: join(import.meta.dirname, 'runner.ts'),
    testMatch: [pattern],
    testSequencer: join(root, 'test/e2e/sequencer.js'),
    transform: {},
    injectGlobals: false,
  };
  const results = join(folder, `${String(processes)}.json`);
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const flags = ['--config', JSON.stringify(config), '--json', '--outputFile', results];
  spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', jest, ...flags, '--maxWorkers', String(processes)],
    { cwd: root },
  );
  const { testResults } = JSON.parse(readFileSync(results, 'utf8')) as { testResults: readonly Suite[] };
  return new Map(testResults.map((suite) => [basename(suite.name, '.fixture.ts'), suite]));
}

let suites: ReadonlyMap<string, Suite>;
beforeAll(() => {
  suites = run('**/!(restored)*.fixture.ts', 2);
}, 120_000);

/** How a fixture ended, each test of it, and the first line of what is said of it that is not a title. */
function outcomeOf(name: string): readonly unknown[] {
  const { status, message, assertionResults } = suites.get(name)!;
  const lines = stripVTControlCharacters(message).split('\n');
  return [
    status,
    assertionResults.map(({ title, status }) => `${title}: ${status}`),
    lines.find((line) => line.trim() !== '' && !line.includes('●'))?.trim(),
  ];
}

test.each([
  ['fails', ['is not equal: failed'], 'expect(received).toEqual(expected) // deep equality'],
  ['hangs', ['never ends: failed', 'after it: passed'], 'thrown: "Exceeded timeout of 200 ms for a test.'],
  [
    'blocks',
    [],
    '"takes no turn" kept its process busy for more than 0.5 s, its time-out, without a turn of the event loop',
  ],
  ['dies', [], 'the process ended with exit code 3 during "ends the process"'],
  [
    'leaves-open',
    ['passes: passed'],
    '1 TCPServerWrap, 1 Timeout left open after the last test and hook; close them in an afterEach or afterAll',
  ],
  [
    'leaves-changed',
    ['passes: passed'],
    'Date.now is not what it was before the file; restore it in an afterEach',
  ],
  ['rejects', ['passes: passed'], 'nobody catches this rejection'],
  ['throws-later', ['passes: passed'], 'nobody catches this error'],
])('%s', (name, tests, message) => {
  expect(outcomeOf(name)).toEqual(['failed', tests, message]);
});

test('the next file does not see what is restored, or what a process of its own keeps', () => {
  const restored = run('**/restored-*.fixture.ts', 1);
  expect([...restored].map(([name, { status }]) => [name, status]).sort()).toEqual([
    ['restored-0', 'passed'],
    ['restored-1', 'passed'],
    ['restored-2', 'passed'],
  ]);
}, 120_000);
