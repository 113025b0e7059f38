import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { run } from '../core/run.ts';
import { ProblemsError } from '../core/problem.ts';
import type { Peer } from '../test/peers/process.ts';

/** One of the compared programs. */
export interface Contestant {
  readonly name: string;
  /** Starts it on one processor. */
  readonly start: () => Promise<Peer>;
}

/** The requests that each program gets. */
export interface Workload {
  readonly name: string;
  /** Flags of the load generator, test/peers/load. */
  readonly flags: (address: string) => readonly string[];
}

/** One measurement. */
export interface Sample {
  /** Processor time of the program under test per request, in microseconds. */
  readonly cpu: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Share of its processor that the program used; below about 0.9 the load generator was the limit, not the program. */
  readonly busy: number;
}

export interface ContestRow {
  readonly workload: string;
  readonly contestant: string;
  readonly samples: readonly Sample[];
}

export interface ContestOptions {
  readonly contestants: readonly Contestant[];
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  /** The load generator. */
  readonly load: string;
  /** The processor that the load generator runs on. */
  readonly processor: number;
  readonly report: (line: string) => void;
}

const connections = 32;
const warmUpSeconds = 1;
const seconds = 4;

/**
 * Measures every contestant with every workload in each round, in turn, so that a busy moment of the machine does not
 * affect only one. All run the whole time, but each gets load only in its turn.
 * @throws ProblemsError (exit code 1) when a request fails, because the figures would be meaningless.
 */
export async function runContest(options: ContestOptions): Promise<readonly ContestRow[]> {
  const peers: Peer[] = [];
  try {
    for (const { start } of options.contestants) peers.push(await start());
    const rows = options.workloads.flatMap((workload) =>
      options.contestants.map(({ name }, index) => ({
        workload,
        contestant: name,
        index,
        samples: [] as Sample[],
      })),
    );
    for (let round = 1; round <= options.rounds; round++) {
      // Forth and back: who comes after whom is not what makes the difference.
      for (const { workload, contestant, index, samples } of round % 2 === 0 ? rows.toReversed() : rows) {
        const peer = peers[index];
        if (peer === undefined) throw new Error(`${contestant} was not started`);
        const sample = await measure(peer, workload, options);
        samples.push(sample);
        options.report(
          `round ${round} of ${options.rounds}: ${workload.name}, ${contestant}: ${sample.cpu.toFixed(0)} us, p99 ${sample.p99.toFixed(1)} ms`,
        );
      }
    }
    return rows.map(({ workload, contestant, samples }) => ({
      workload: workload.name,
      contestant,
      samples,
    }));
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

async function measure(peer: Peer, workload: Workload, options: ContestOptions): Promise<Sample> {
  await sendLoad(peer, workload, warmUpSeconds, options);
  const before = processorSeconds(peer.pid);
  const result = await sendLoad(peer, workload, seconds, options);
  const used = processorSeconds(peer.pid) - before;
  if (result.failed > 0 || result.requests === 0) {
    throw new ProblemsError(
      [
        {
          where: `${peer.name}, ${workload.name}`,
          what: `${result.failed} of ${result.requests} requests failed, so the measurement is not valid`,
        },
      ],
      1,
    );
  }
  return {
    cpu: (used / result.requests) * 1e6,
    p50: result.p50 / 1000,
    p99: result.p99 / 1000,
    perSecond: result.requests / result.seconds,
    busy: used / result.seconds,
  };
}

/** What the load generator prints. Times in microseconds. */
interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

async function sendLoad(
  peer: Peer,
  { flags }: Workload,
  duration: number,
  { load, processor }: ContestOptions,
): Promise<LoadResult> {
  const args = [...flags(peer.address), '-connections', String(connections), '-duration', `${duration}s`];
  const { stdout } = await run('taskset', ['--cpu-list', String(processor), load, ...args], {
    env: { GOMAXPROCS: '1' },
    timeoutMs: (duration + 20) * 1000,
  });
  return JSON.parse(stdout) as LoadResult;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** User and system time of a process and all its threads so far: proc_pid_stat(5), fields 14 and 15. */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/**
 * Two processors that this process may use: one for the program under test, one for everything else.
 * @throws ProblemsError when there is only one
 */
export function twoProcessors(): readonly [number, number] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const all = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  const [first, second] = all;
  if (first === undefined || second === undefined) {
    throw new ProblemsError([
      {
        where: 'npm run bench',
        what: 'needs more than one processor',
        received: list,
        allowed: 'two or more',
      },
    ]);
  }
  return [first, second];
}
