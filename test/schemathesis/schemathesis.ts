import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../core/run.ts';
import { ensurePython } from '../peers/python.ts';
import type { PythonOptions, StartedByPython } from '../peers/python.ts';

/**
 * Schemathesis, which makes requests of an OpenAPI document and holds the answers to it.
 * @throws ProblemsError with exit code 2 when the machine's Python is too old, 1 when pip fails
 */
export function ensureSchemathesis(root: string, options: PythonOptions): Promise<StartedByPython> {
  const requirements = readFileSync(join(root, 'test/schemathesis/requirements.txt'), 'utf8');
  return ensurePython({ name: 'schemathesis', requirements, python: '3.11' }, options);
}

/** What is read of Schemathesis' report in JSON. */
interface Report {
  readonly operations: { readonly total: number; readonly tested: number };
  readonly phases: Readonly<Record<string, { readonly status: string }>>;
  readonly test_cases: { readonly generated: number };
  readonly failures: readonly { readonly type: string; readonly operations: readonly string[] }[];
  readonly errors: readonly { readonly title: string }[];
}

export interface Result {
  readonly report: Report;
  /** `KIND METHOD /path`, sorted. */
  readonly failures: readonly string[];
  /** All that it says. */
  readonly output: string;
}

export interface RunSettings {
  /** `http://HOST:PORT` of a gateway. */
  readonly url: string;
  readonly seed: number;
  /** Random requests for each operation. */
  readonly examples: number;
  /** Folder for the report. */
  readonly folder: string;
}

/** Runs all its checks: requests of each rule of the document, random ones, and sequences of them. */
export async function runSchemathesis(
  root: string,
  { command, args, env }: StartedByPython,
  { url, seed, examples, folder }: RunSettings,
): Promise<Result> {
  const file = join(folder, 'report.json');
  const flags = [
    ...['--phases', 'coverage,fuzzing,stateful', '--checks', 'all', '--continue-on-failure'],
    ...['--seed', String(seed), '--max-examples', String(examples), '--generation-database', 'none'],
    // A slow machine draws the same.
    ...['--suppress-health-check', 'all'],
    // CPython 3.11 fails where two threads parse Python at once (github.com/python/cpython/issues/106905).
    ...['--workers', '1', '--request-timeout', '20'],
    ...['--report', 'json', '--report-json-path', file, '--no-color'],
  ];
  // It ends with 1 when a check fails.
  const { stdout } = await run(command, [...args, 'run', `${url}/openapi.json`, ...flags], {
    cwd: folder,
    env: { ...env, SCHEMATHESIS_HOOKS: join(root, 'test/schemathesis/hooks.py') },
    timeoutMs: 5 * 60_000,
    okCodes: [0, 1],
  });
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const failures = report.failures.flatMap(({ type, operations }) =>
    operations.map((operation) => `${type} ${operation}`),
  );
  return { report, failures: failures.sort(), output: stdout };
}
