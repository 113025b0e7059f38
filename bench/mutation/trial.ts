import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunFile } from '../../test/runner/messages.ts';
import type { Checkout } from './checkout.ts';
import type { FromWorker, Load } from './messages.ts';

/** What of jest's configuration a test file runs with. */
export type JestConfig = Omit<RunFile, 'path'>;

/** A test file, and how many milliseconds it may take. */
export interface TestFile {
  readonly path: string;
  readonly limit: number;
}

export interface Trial {
  readonly outcome: 'passed' | 'failed' | 'timed out';
  /** The file that failed or timed out, and what failed in it. */
  readonly by?: string;
  /** Ids of the mutants whose place was reached. */
  readonly reached: readonly string[];
}

/** A process that holds more than this, in bytes, takes no other file. */
const enoughMemory = 900 * 2 ** 20;

const running = new Set<ChildProcess>();

/** Ends all trials at once, for an interruption. */
export function endTrials(): void {
  for (const child of running) killGroup(child);
}

/**
 * Runs test files in turn in a process of their own, with sources replaced, until one fails. The process and all that it
 * started is gone afterwards; temporary files stay as long as the checkout.
 * @param sources - by path from the root
 * @param mutant - the id that is switched on
 */
export async function tryTests(
  checkout: Checkout,
  jest: JestConfig,
  tests: readonly TestFile[],
  sources: ReadonlyMap<string, string>,
  mutant?: string,
): Promise<Trial> {
  const left = [...tests];
  const urls = [...sources].map(
    ([path, text]) => [pathToFileURL(join(checkout.root, path)).href, text] as const,
  );
  const load = { sources: new Map(urls), mutant };
  while (left.length > 0) {
    const trial = await tryInOneProcess(checkout, jest, left, load);
    if (trial.outcome !== 'passed' || left.length === 0) return trial;
  }
  return { outcome: 'passed', reached: [] };
}

/** Takes files from those that are left, as long as the process is fit for another. */
async function tryInOneProcess(
  checkout: Checkout,
  jest: JestConfig,
  left: TestFile[],
  load: Load,
): Promise<Trial> {
  const child = start(checkout);
  running.add(child);
  let timer: NodeJS.Timeout | undefined;
  let reached: readonly string[] = [];
  try {
    child.send(load satisfies Load);
    return await new Promise<Trial>((resolve) => {
      let current: TestFile | undefined;
      const end = (outcome: Trial['outcome'], what = '') => {
        resolve(
          outcome === 'passed'
            ? { outcome, reached }
            : { outcome, by: `${current?.path ?? ''}${what}`, reached },
        );
      };
      const next = () => {
        clearTimeout(timer);
        current = left.shift();
        if (current === undefined) {
          end('passed');
          return;
        }
        timer = setTimeout(end, current.limit, 'timed out');
        child.send({ ...jest, path: join(checkout.root, current.path) } satisfies RunFile);
      };
      child.on('message', (report: FromWorker) => {
        if (report.kind === 'reached') reached = report.ids;
        if (report.kind === 'case-result' && report.result.status === 'failed')
          end('failed', `: ${report.result.fullName}`);
        if (report.kind !== 'done') return;
        const { outcome, spoiled, memory } = report;
        const error = outcome.result === undefined ? outcome.error : outcome.result.testExecError;
        if (error) end('failed', `: ${error.message}`);
        else if (outcome.result !== undefined && outcome.result.numFailingTests > 0) end('failed');
        else if (spoiled || memory > enoughMemory) end('passed');
        else next();
      });
      child.on('error', (error) => {
        end('failed', `: ${error.message}`);
      });
      child.on('exit', (code, signal) => {
        end('failed', `: the process ended with ${String(code ?? signal)}`);
      });
      next();
    });
  } finally {
    clearTimeout(timer);
    killGroup(child);
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      await once(child, 'exit');
    running.delete(child);
  }
}

function start(checkout: Checkout): ChildProcess {
  return fork(join(checkout.root, 'bench', 'mutation', 'worker.ts'), {
    cwd: checkout.root,
    env: { ...process.env, NODE_ENV: 'test', TMPDIR: checkout.temporary, NODE_COMPILE_CACHE: checkout.cache },
    serialization: 'advanced',
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // A group of its own, so that what its tests have started ends with it.
    detached: true,
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
