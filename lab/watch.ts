import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemsError } from '../core/problem.ts';
import { watchDaemons } from './parts.ts';

const everyMs = 1_000;

/**
 * Does something that waits for what the daemons of nodes do, and ends it as soon as one of them keeps ending since it
 * began: what it waits for may never come, and would be blamed.
 * @param work - its signal is aborted by `signal`, and by a daemon that keeps ending; then the reason is the error below
 * @throws ProblemsError (exit code 1) with every such daemon and the last lines of its log, whatever `work` ended with then.
 */
export async function whileDaemonsRun<T>(
  { stateDir, nodes, signal }: { stateDir: string; nodes: readonly string[]; signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const [failed, done] = [new AbortController(), new AbortController()];
  const failing = watchDaemons(stateDir, nodes);
  const watch = async () => {
    while (!done.signal.aborted) {
      const problems = failing();
      if (problems.length > 0) {
        failed.abort(new ProblemsError(problems, 1));
        return;
      }
      await sleep(everyMs, undefined, { signal: done.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  try {
    return await work(AbortSignal.any([signal, failed.signal]));
  } catch (error) {
    throw failed.signal.aborted && !signal.aborted ? failed.signal.reason : error;
  } finally {
    done.abort();
    await watching;
  }
}
