import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ProblemsError } from '../core/problem.ts';
import { ensurePeerPrograms } from '../test/peers/programs.ts';
import { defaultCacheDir } from '../toolchain/cache.ts';
import { formatContest, formatGoals } from './contest-table.ts';
import { runContest, twoProcessors } from './contest.ts';
import type { ContestRow } from './contest.ts';
import { calls, requests, root, startBackend, startGateway, startRuntime } from './programs.ts';

const [before, now] = ['before', 'now'] as const;

/** The figures of two checkouts, the other and this one, round by round. */
export interface PairFigures {
  readonly gateways: readonly ContestRow[];
  readonly runtimes: readonly ContestRow[];
}

/**
 * Compares the gateway and the runtime of this checkout with those of another: each round measures both, one after the
 * other, with the same requests, backend and processor.
 * @param folder Another checkout with its packages installed.
 * @throws ProblemsError when the folder is no such checkout, there is only one processor, or a request fails
 */
export async function benchPair(
  folder: string | undefined,
  rounds: number,
  report: (line: string) => void,
): Promise<PairFigures> {
  const other = checkoutIn(folder);
  const [processor, rest] = twoProcessors();
  const programs = await ensurePeerPrograms({
    root,
    cacheDir: defaultCacheDir(),
    logsDir: join(root, '.meshwright', 'logs'),
    report,
  });
  const scratch = mkdtempSync(join(tmpdir(), 'meshwright-bench-'));
  const run = { rounds, load: programs.load, processor: rest, report };
  const sides = [
    { root: other, name: before, scratch, processor },
    { root, name: now, scratch, processor },
  ];
  const backend = await startBackend(programs.backend, rest);
  try {
    return {
      gateways: await runContest({
        ...run,
        workloads: requests,
        contestants: sides.map((side) => ({
          name: side.name,
          start: () => startGateway(side, backend.address),
        })),
      }),
      runtimes: await runContest({
        ...run,
        workloads: calls,
        contestants: sides.map((side) => ({ name: side.name, start: () => startRuntime(side) })),
      }),
    };
  } finally {
    await backend.stop();
    rmSync(scratch, { recursive: true });
  }
}

function checkoutIn(folder: string | undefined): string {
  const path = resolve(folder ?? '.');
  if (folder !== undefined && path !== root && existsSync(join(path, 'node_modules'))) return path;
  throw new ProblemsError([
    {
      where: 'npm run bench -- pair FOLDER',
      what: 'needs another checkout of this repository, with its packages installed',
      ...(folder !== undefined && { received: folder }),
      fix: 'git worktree add ../before COMMIT && (cd ../before && npm ci), then npm run bench -- pair ../before',
    },
  ]);
}

/** Both tables, and whether this checkout is slower than it may be. */
export function formatPair({ gateways, runtimes }: PairFigures): string {
  const goals = [{ contestant: now, baseline: before, measure: 'cpu', atMost: 1.05 }] as const;
  return [
    formatContest('gateway', gateways, before),
    formatContest('runtime', runtimes, before),
    formatGoals(gateways, goals) + formatGoals(runtimes, goals),
  ].join('\n');
}
