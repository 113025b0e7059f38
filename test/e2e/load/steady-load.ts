import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../../core/wait.ts';
import { kubeconfig, labPath } from '../checkout/lab.ts';
import {
  caller as usualCaller,
  flowsBetween,
  loadCommand,
  perSecond as usual,
  type Flow,
} from './load-mesh.ts';

/** A workload whose pods make the calls, by the program of load-program.cjs, labelled with its name. */
export interface LoadCaller {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
}

export interface Failure {
  readonly flow: string;
  /** When the call started, in ISO 8601. */
  readonly at: string;
  /** gRPC status code, `http NNN`, `deadline`, or `error CODE` when a connection or stream broke. */
  readonly status: string;
  readonly message: string;
}

/** Calls that ended while the load was on. */
export interface Counts {
  readonly calls: number;
  readonly failed: number;
  /** By gRPC status code, `http NNN`, `deadline` or `error CODE`; good ones that took over 2 s are `0 late` and `http 200 late`. */
  readonly byStatus: Readonly<Record<string, number>>;
}

export interface LoadResult extends Counts {
  readonly seconds: number;
  readonly flows: Readonly<Record<string, Counts>>;
  /** The first ones of each flow, by time. */
  readonly failures: readonly Failure[];
}

export interface SteadyLoad {
  /** Awaits the calls that are in flight and tells what all got. Throws when a part of the calls cannot be accounted for. */
  stop(): Promise<LoadResult>;
}

interface Report {
  readonly at: number;
  readonly settled: number;
  readonly totals: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly failures: readonly {
    readonly flow: string;
    readonly at: number;
    readonly status: string;
    readonly message: string;
  }[];
  readonly ended: boolean;
}

/** One process that calls: a pod's, or one on this machine. Its totals only grow, and its last report says so. */
interface Source {
  readonly name: string;
  first: Report | undefined;
  last: Report | undefined;
  failures: Failure[];
  gone: boolean;
}

/**
 * Starts to count the calls of a mesh with `declareLoad`, once all flows go well:
 *
 *     await applyVariant(loadMesh(), { change: loadIn(['east', 'west']) });
 *     const load = await startLoad({ clusters: ['east', 'west'], ingress: { 'through east': `${url}/v1/stock/x` } });
 *     // what must not disturb: a rotation, an upgrade, a restart of anything
 *     expect(await load.stop()).toMatchObject({ failed: 0 });
 *
 * The pods of `load` call at a constant rate as long as they live, 20 calls a second of each flow between two clusters,
 * 25 s each, no retries. A pod that is told to end starts no more calls, awaits those in flight and reports; its
 * successor calls meanwhile. All calls are counted wherever they were made: a pod that ends without its last report (a
 * kill), or a flow that made less than half of its calls, is an error of `stop`, not a zero.
 * Calls through the ingress gateways are made from this machine, by a process of their own.
 */
export async function startLoad(options: {
  readonly clusters: readonly string[];
  /** The workload whose pods call. @default - `load` of {@link declareLoad} */
  readonly caller?: LoadCaller;
  /** What the pods of `load` call. @default - the services of `declareLoad` */
  readonly flows?: readonly Flow[];
  /** URLs to get from outside the mesh, by the name of their flow. @default - none */
  readonly ingress?: Readonly<Record<string, string | Pick<Flow, 'url' | 'host' | 'perSecond'>>>;
}): Promise<SteadyLoad> {
  const { clusters, caller = usualCaller, flows: within = flowsBetween(clusters), ingress = {} } = options;
  const fromHere = Object.entries(ingress).map(([name, to]): Flow => {
    return { name, ...(typeof to === 'string' ? { url: to } : to) };
  });
  const flows: readonly Flow[] = [...within, ...fromHere];
  const sources: Source[] = [];
  const stopped = new AbortController();
  const follow = clusters.map((cluster) => followPods(cluster, caller, sources, stopped.signal));
  const outside = fromHere.length === 0 ? undefined : callFromHere(fromHere, sources);
  const end = async () => {
    stopped.abort();
    outside?.kill();
    await Promise.all(follow);
  };
  try {
    const limits = { what: 'steady load on every flow', timeoutMs: 60_000, intervalMs: 1000 };
    await waitFor(limits, () => look(flows, sources));
  } catch (error) {
    await end();
    throw error;
  }
  // What went wrong before, while configuration reached the proxies, is no part of it.
  const startedAt = Date.now();
  for (const source of sources) {
    source.first = source.last;
    source.failures = [];
  }
  return {
    stop: async () => {
      const stoppedAt = Date.now();
      try {
        await waitFor({ what: 'calls in flight ended', timeoutMs: 60_000 }, () => {
          const open = sources.find(({ gone, last }) => !gone && !((last?.settled ?? 0) > stoppedAt));
          return open === undefined
            ? { done: true, value: true }
            : { done: false, because: `${open.name} has some` };
        });
      } finally {
        await end();
      }
      return resultOf(flows, sources, (stoppedAt - startedAt) / 1000);
    },
  };
}

/** Whether every flow had calls within the last second, all of them good. */
function look(flows: readonly Flow[], sources: Source[]) {
  const before = new Map(sources.map((source) => [source.name, source.first]));
  for (const source of sources) source.first = source.last;
  const recent = sources.map((source) => countsOf(source.last, before.get(source.name)));
  for (const { name, perSecond = usual } of flows) {
    const { calls, failed } = sum(recent.flatMap((counts) => counts[name] ?? []));
    if (calls < perSecond / 4 || failed > 0)
      return {
        done: false,
        because: `${name}: ${failed} of ${calls} calls failed in the last second`,
      } as const;
  }
  return { done: true, value: true } as const;
}

function resultOf(flows: readonly Flow[], sources: readonly Source[], seconds: number): LoadResult {
  const lost = sources.filter(({ gone, last }) => gone && last !== undefined && !last.ended);
  if (lost.length > 0)
    throw new Error(`${lost.map(({ name }) => name).join(', ')}: ended without a last report of its calls`);
  const all = sources.map(({ first, last }) => countsOf(last, first));
  const perFlow = Object.fromEntries(
    flows.map(({ name }) => [name, sum(all.flatMap((counts) => counts[name] ?? []))]),
  );
  for (const { name, perSecond = usual } of flows) {
    const { calls, byStatus } = perFlow[name]!;
    const late = Object.entries(byStatus).flatMap(([status, number]) =>
      status.endsWith(' late') ? number : [],
    );
    if (late.some((number) => number > calls / 2))
      throw new Error(
        `${name}: ${late.join(' and ')} of ${calls} calls were late: something takes them too long`,
      );
    if (calls < (seconds * perSecond) / 2)
      throw new Error(`${name}: only ${calls} calls in ${seconds} s: the load was not steady`);
  }
  const failures = sources.flatMap((source) => source.failures).sort((a, b) => (a.at < b.at ? -1 : 1));
  const shown = flows.flatMap(({ name }) => failures.filter(({ flow }) => flow === name).slice(0, 10));
  return { ...sum(Object.values(perFlow)), seconds, flows: perFlow, failures: shown };
}

function countsOf(last: Report | undefined, first: Report | undefined): Record<string, Counts> {
  return Object.fromEntries(
    Object.entries(last?.totals ?? {}).map(([flow, statuses]) => {
      const byStatus = Object.fromEntries(
        Object.entries(statuses)
          .map(([status, total]) => [status, total - (first?.totals[flow]?.[status] ?? 0)] as const)
          .filter(([, number]) => number > 0),
      );
      const counted = Object.entries(byStatus);
      const failed = counted.filter(([status]) => !/^(0|http 200)( late)?$/.test(status));
      const add = (entries: typeof counted) => entries.reduce((total, [, number]) => total + number, 0);
      return [flow, { calls: add(counted), failed: add(failed), byStatus }];
    }),
  );
}

function sum(parts: readonly Counts[]): Counts {
  const byStatus: Record<string, number> = {};
  for (const part of parts)
    for (const [status, number] of Object.entries(part.byStatus))
      byStatus[status] = (byStatus[status] ?? 0) + number;
  return {
    calls: parts.reduce((total, { calls }) => total + calls, 0),
    failed: parts.reduce((total, { failed }) => total + failed, 0),
    byStatus,
  };
}

function read(source: Source, process: ChildProcess): Promise<void> {
  const lines = createInterface({ input: process.stdout! });
  lines.on('line', (line) => {
    if (!line.startsWith('{"at":')) return;
    const report = JSON.parse(line) as Report;
    // A log that is followed anew begins anew.
    if (report.at <= (source.last?.at ?? 0)) return;
    source.last = report;
    source.failures.push(
      ...report.failures.map((failure) => ({ ...failure, at: new Date(failure.at).toISOString() })),
    );
  });
  return new Promise((resolve) => lines.on('close', resolve));
}

function kubectl(cluster: string, namespace: string, ...words: readonly string[]): ChildProcess {
  return spawn('kubectl', ['--kubeconfig', kubeconfig, '--context', cluster, '-n', namespace, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${labPath()}:${process.env['PATH'] ?? ''}` },
  });
}

/** Follows the log of every pod of the cluster's callers, those that come later too. */
async function followPods(
  cluster: string,
  caller: LoadCaller,
  sources: Source[],
  stopped: AbortSignal,
): Promise<void> {
  const following: Promise<void>[] = [];
  const selector = `app.kubernetes.io/name=${caller.name}`;
  while (!stopped.aborted) {
    const watch = kubectl(cluster, caller.namespace, 'get', 'pods', '-l', selector, '--watch', '-o', 'name');
    const end = () => watch.kill();
    stopped.addEventListener('abort', end);
    const names = createInterface({ input: watch.stdout! });
    names.on('line', (pod) => {
      const name = `${cluster}: ${pod}`;
      if (sources.some((source) => source.name === name)) return;
      const source: Source = { name, first: undefined, last: undefined, failures: [], gone: false };
      sources.push(source);
      following.push(followPod(cluster, caller, pod, source, stopped));
    });
    await new Promise((resolve) => names.on('close', resolve));
    stopped.removeEventListener('abort', end);
    await sleep(300);
  }
  await Promise.all(following);
}

async function followPod(
  cluster: string,
  caller: LoadCaller,
  pod: string,
  source: Source,
  stopped: AbortSignal,
): Promise<void> {
  while (!stopped.aborted && !source.gone) {
    const log = kubectl(cluster, caller.namespace, 'logs', '--follow', pod, '-c', caller.container);
    const end = () => log.kill();
    stopped.addEventListener('abort', end);
    let said = '';
    log.stderr!.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    await read(source, log);
    stopped.removeEventListener('abort', end);
    source.gone = source.last?.ended === true || said.includes('(NotFound)');
    // Its container may not have started yet.
    if (!source.gone) await sleep(300);
  }
}

/** Makes the calls from outside, until it is killed. */
function callFromHere(flows: readonly Flow[], sources: Source[]): ChildProcess {
  const child = spawn(process.execPath, loadCommand(flows), { stdio: ['ignore', 'pipe', 'inherit'] });
  const source: Source = {
    name: 'calls from outside',
    first: undefined,
    last: undefined,
    failures: [],
    gone: false,
  };
  sources.push(source);
  void read(source, child).then(() => (source.gone = true));
  return child;
}
