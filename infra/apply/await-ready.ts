import { ProblemsError } from '../../core/problem.ts';
import { allOrProblems } from '../../core/all-or-problems.ts';
import { diagnose, diagnoseLoadBalancer } from './diagnose.ts';
import { podProblem } from './pod-problem.ts';
import { JobWait } from './job-wait.ts';
import { PodWatch, podTimes } from './pod-watch.ts';
import { waitReporting } from './wait-reporting.ts';
import type { AwaitOptions } from './wait-reporting.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { isObserved, isWorkload, lookAt } from '../plan/readiness.ts';
import type { Readiness } from '../plan/readiness.ts';
import { lookAtWebhooks } from '../kube/webhooks.ts';

/**
 * Waits side by side until every condition holds, and reports the ones that did not hold at the first look, and why pods do
 * not start. The first that passes its limit, or whose pods cannot heal, ends the others, soon after; what their pods lack
 * is told with it. Nothing goes on when this returns.
 * @throws ProblemsError (exit 1) for what does not get ready: what was awaited, what was last seen, and why.
 */
export async function awaitReady(
  client: KubeClient,
  conditions: readonly Readiness[],
  options: AwaitOptions,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const { gather } = options.pods ?? podTimes;
  let gathering: NodeJS.Timeout | undefined;
  const end = () => {
    failed.abort();
  };
  try {
    await allOrProblems(
      conditions.map(async (readiness) => {
        const wait = watchedWait(client, readiness, options, signal);
        try {
          await (wait?.done() ?? awaitOne(client, readiness, options, signal));
        } catch (error) {
          const ended = failed.signal.aborted && !(error instanceof ProblemsError);
          if (ended) {
            // Ended because another one failed, which tells why; so do its own pods, if they are in trouble.
            options.signal?.throwIfAborted();
            await wait?.throwTroubles();
            return;
          }
          if (wait?.cannotHeal === true) gathering ??= setTimeout(end, gather);
          else end();
          throw error;
        }
      }),
    );
  } finally {
    clearTimeout(gathering);
  }
}

/** The wait for what has pods, which are watched meanwhile. */
function watchedWait(
  client: KubeClient,
  readiness: Readiness,
  options: AwaitOptions,
  signal: AbortSignal,
): WorkloadWait | JobWait | undefined {
  if (readiness.kind === 'ended') return new JobWait(client, readiness, options, signal);
  return isWorkload(readiness.kind) ? new WorkloadWait(client, readiness, options, signal) : undefined;
}

async function awaitOne(
  client: KubeClient,
  { kind, object }: Readiness,
  options: AwaitOptions,
  signal: AbortSignal,
): Promise<void> {
  const whereToLook =
    kind === 'address' ? { whereToLook: () => diagnoseLoadBalancer(client, object) } : undefined;
  await waitReporting(client, { kind, object }, options, { ...whereToLook, signal }, async () =>
    kind === 'answering'
      ? lookAtWebhooks(client, object, options.namespaces, signal)
      : lookAt(kind, await client.get(object, signal)),
  );
}

/** Waits for one workload, and watches its pods meanwhile. */
class WorkloadWait {
  /** Whether it ended because its pods cannot heal. */
  cannotHeal = false;
  readonly #client: KubeClient;
  readonly #readiness: Readiness;
  readonly #options: AwaitOptions;
  readonly #signal: AbortSignal;
  readonly #watch: PodWatch;

  constructor(client: KubeClient, readiness: Readiness, options: AwaitOptions, signal: AbortSignal) {
    this.#client = client;
    this.#readiness = readiness;
    this.#options = options;
    this.#signal = signal;
    const tell = (line: string) => {
      options.report(`${client.cluster}: ${describe(readiness.object)}: ${line}`);
    };
    this.#watch = new PodWatch(client, tell, options.pods ?? podTimes, signal);
  }

  async done(): Promise<void> {
    const { kind, object } = this.#readiness;
    if (!isWorkload(kind)) throw new Error(`${describe(object)} has no pods`);
    // At the limit: pods that are in trouble say why, else whatever is known of the workload.
    const whereToLook = async () => {
      await this.throwTroubles();
      return diagnose(this.#client, object);
    };
    let live: KubeObject | undefined;
    await waitReporting(
      this.#client,
      this.#readiness,
      this.#options,
      { signal: this.#signal, whereToLook },
      async () => lookAt(kind, (live = await this.#client.get(object, this.#signal))),
      async () => {
        if (live === undefined || !isObserved(live) || !(await this.#watch.look(live))) return;
        this.cannotHeal = true;
        await this.throwTroubles();
      },
    );
  }

  /** @throws ProblemsError when the pods were in trouble when they were last looked at. */
  async throwTroubles(): Promise<void> {
    const { troubles } = this.#watch;
    if (troubles.length === 0) return;
    const { signal } = this.#options;
    throw new ProblemsError([await podProblem(this.#client, this.#readiness.object, troubles, signal)], 1);
  }
}
