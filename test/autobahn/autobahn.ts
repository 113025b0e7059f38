import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../core/run.ts';
import { ensurePython } from '../peers/python.ts';
import type { PythonOptions, StartedByPython } from '../peers/python.ts';

/**
 * Autobahn's fuzzing client, which itself runs on Python 2 alone: kosoku runs its case files unchanged in what they send and expect.
 * @throws ProblemsError with exit code 2 when the machine's Python is too old, 1 when pip fails
 */
export function ensureAutobahn(root: string, options: PythonOptions): Promise<StartedByPython> {
  const requirements = readFileSync(join(root, 'test/autobahn/requirements.txt'), 'utf8');
  return ensurePython({ name: 'kosoku', requirements, python: '3.10' }, options);
}

/** What came of a case. Source: Autobahn's index.json. */
export interface Outcome {
  /** OK, NON-STRICT, INFORMATIONAL, UNIMPLEMENTED or FAILED. */
  readonly behavior: string;
  /** The same for how the connection was closed, with WRONG CODE, UNCLEAN and FAILED BY CLIENT beside. */
  readonly behaviorClose: string;
  readonly remoteCloseCode: number | null;
}

/**
 * What runs one after the other, and how many cases of it at once: most cases have a second, which those with megabytes of the ninth
 * part would take from them.
 */
const parts = [
  { cases: ['1.*', '2.*', '3.*', '4.*', '5.*', '6.*', '7.*', '10.*', '12.*', '13.*'], atOnce: 4 },
  { cases: ['9.*'], atOnce: 4 },
];

/**
 * Runs all cases against a server of WebSocket that echoes.
 * @param url - `ws://HOST:PORT/PATH`
 * @param folder - for the reports
 * @returns what came of each, by its number, such as `1.1.1`
 */
export async function runAutobahn(
  { command, args, env }: StartedByPython,
  url: string,
  folder: string,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (const { cases, atOnce } of parts) {
    const flags = ['--mode', 'fuzzingclient', '--parallelism', String(atOnce), '--outdir', folder];
    const include = cases.flatMap((each) => ['--include', each]);
    // It ends with 1 when a case fails.
    await run(command, [...args, ...flags, ...include, url], { env, timeoutMs: 180_000, okCodes: [0, 1] });
    const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Record<
      string,
      Record<string, Outcome>
    >;
    for (const each of Object.values(index)) {
      for (const [name, outcome] of Object.entries(each)) outcomes.set(name, outcome);
    }
  }
  return outcomes;
}
