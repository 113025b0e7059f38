import { expect, test } from '@jest/globals';
import { ProblemsError } from '../../core/problem.ts';
import { beginProofs } from './early.ts';
import type { Proof, ProofContext } from './proof.ts';

/** A proof whose runs the test ends one by one. */
function proofToEnd() {
  const runs: { readonly end: (how: string | Error) => void; readonly signal: AbortSignal | undefined }[] =
    [];
  const proof: Proof = {
    title: 'reads are local',
    run: ({ signal }) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
        runs.push({
          end: (how) => {
            if (how instanceof Error) reject(how);
            else resolve(how);
          },
          signal,
        });
      }),
  };
  return { proof, runs };
}

function begin(early: boolean) {
  const { proof, runs } = proofToEnd();
  const lines: string[] = [];
  const stopped = new AbortController();
  const contextOf = (signal: AbortSignal) =>
    Promise.resolve({ model: undefined, clients: {}, ingress: {}, signal } as unknown as ProofContext);
  const started = beginProofs([proof], contextOf, early, stopped.signal, (line) => lines.push(line));
  return {
    ...started,
    runs,
    lines,
    stop: () => {
      stopped.abort(new Error('stopped by SIGINT'));
    },
  };
}

/** Lets everything that needs no time happen. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const failure = new ProblemsError([{ where: 'orders', what: 'not served' }], 1);

test('what was seen early counts when the apply finds nothing to change, and is told only then', async () => {
  const { seen, runs, lines } = begin(true);
  await turn();
  runs[0]!.end('11 of 11 calls');
  await turn();
  expect(lines).toEqual([]);
  expect(await seen('unchanged')).toEqual(['reads are local: 11 of 11 calls']);
  expect(lines).toEqual(['reads are local: 11 of 11 calls']);
  expect(runs).toHaveLength(1);
});

test.each([
  ['before everything was ready', true],
  ['after that, as its limit began to run before', false],
])('a failure does not count, and the proof is made again: %s', async (_, isBefore) => {
  const { seen, runs, lines } = begin(true);
  await turn();
  if (isBefore) runs[0]!.end(failure);
  await turn();
  const end = seen('unchanged');
  runs[0]!.end(failure);
  await turn();
  runs[1]!.end(failure);
  await expect(end).rejects.toThrow('orders: not served');
  expect(lines).toEqual([]);
});

test('nothing of it counts when something is changed: it ends at once, and is made again after the apply', async () => {
  const { discard, seen, runs, lines } = begin(true);
  await turn();
  discard();
  expect(runs[0]!.signal?.aborted).toBe(true);
  const end = seen('changed');
  await turn();
  expect(runs).toHaveLength(2);
  runs[1]!.end('by the second');
  expect(await end).toEqual(['reads are local: by the second']);
  expect(lines).toEqual(['reads are local: by the second']);
});

test('without an earlier mesh nothing begins before the apply has ended, and nothing at all when it failed', async () => {
  const { seen, runs } = begin(false);
  await turn();
  expect(runs).toHaveLength(0);
  const end = seen('changed');
  await turn();
  runs[0]!.end('11 of 11 calls');
  expect(await end).toEqual(['reads are local: 11 of 11 calls']);
  const other = begin(true);
  await turn();
  expect(await other.seen('failed')).toEqual([]);
  expect(other.runs.map(({ signal }) => signal?.aborted)).toEqual([true]);
});

test('an interruption ends it', async () => {
  const { seen, stop } = begin(true);
  await turn();
  const end = seen('unchanged');
  stop();
  await expect(end).rejects.toThrow('stopped by SIGINT');
});
