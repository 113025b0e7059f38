import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { nodeNamespace } from '../../../lab/network.ts';
import { loadCommand } from './load-mesh.ts';

/** What a client got that calls at a constant rate. */
export interface HonestResult {
  readonly calls: number;
  /** Every call that got no answer of 200, or none in time. */
  readonly failures: readonly { readonly status: string; readonly message: string }[];
  /** How many those were; `failures` has the first ones. */
  readonly lost: number;
  /** How long its good calls took, in milliseconds. */
  readonly took: { readonly p50: number; readonly p99: number };
}

interface Report {
  readonly totals: { readonly honest: Readonly<Record<string, number>> };
  readonly failures: readonly { readonly status: string; readonly message: string }[];
  readonly took?: { readonly honest: HonestResult['took'] };
}

export interface Honest {
  /** Settles when so many calls have ended. */
  ended(calls: number): Promise<void>;
  stop(): Promise<HonestResult>;
}

/**
 * Calls a URL at a constant rate from the address of a node, whatever else the machine does: each call starts by the clock, not
 * when the one before it ends.
 */
export function startHonest(node: string, url: string, perSecond: number): Honest {
  const command = loadCommand([{ name: 'honest', url, perSecond }]);
  const args = ['netns', 'exec', nodeNamespace(node), process.execPath, ...command];
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const failures: HonestResult['failures'][number][] = [];
  let last: Report | undefined;
  lines.on('line', (line) => {
    last = JSON.parse(line) as Report;
    failures.push(...last.failures);
  });
  const over = once(lines, 'close');
  const counts = () => Object.entries(last?.totals.honest ?? {});
  const sum = (entries: readonly (readonly [string, number])[]) =>
    entries.reduce((total, [, count]) => total + count, 0);
  return {
    ended: async (calls) => {
      while (sum(counts()) < calls) await once(lines, 'line');
    },
    stop: async () => {
      child.kill('SIGTERM');
      await over;
      if (last?.took === undefined) throw new Error('the honest client ended without its last report');
      const good = counts().filter(([status]) => status.startsWith('http 200'));
      return { calls: sum(counts()), lost: sum(counts()) - sum(good), failures, took: last.took.honest };
    },
  };
}
