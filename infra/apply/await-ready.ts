import { ProblemsError } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import { allOrProblems } from '../../core/all-or-problems.ts';
import { diagnose, diagnoseLoadBalancer } from './diagnose.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { describeReadiness, lookAt } from '../plan/readiness.ts';
import type { Readiness, ReadinessKind } from '../plan/readiness.ts';
import { lookAtWebhooks } from '../kube/webhooks.ts';

/** How long each state may take, in milliseconds: images are pulled and nodes may be busy. */
export const readinessLimits: Readonly<Record<ReadinessKind, number>> = {
  active: 30_000,
  established: 60_000,
  available: 300_000,
  scheduled: 300_000,
  address: 120_000,
  answering: 120_000,
};
const intervalMs = 500;

export interface AwaitOptions {
  /** Namespaces of the mesh, among which one that the webhooks select is found. */
  readonly namespaces: readonly KubeObject[];
  readonly report: (line: string) => void;
  /** @default readinessLimits */
  readonly limits?: Readonly<Record<ReadinessKind, number>>;
  readonly signal?: AbortSignal;
}

/**
 * Waits side by side until every condition holds, and reports the ones that did not hold at the first look.
 * The first that fails ends the others; nothing goes on when this returns.
 * @throws ProblemsError (exit 1) for what passed its limit: what was awaited, what was last seen, and why.
 */
export async function awaitReady(
  client: KubeClient,
  conditions: readonly Readiness[],
  options: AwaitOptions,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  await allOrProblems(
    conditions.map(async (readiness) => {
      try {
        await awaitOne(client, readiness, options, signal);
      } catch (error) {
        // Ended because another one failed, which tells why.
        if (failed.signal.aborted && !(error instanceof ProblemsError)) return;
        failed.abort();
        throw error;
      }
    }),
  );
}

async function awaitOne(
  client: KubeClient,
  readiness: Readiness,
  { namespaces, report, limits = readinessLimits }: AwaitOptions,
  signal: AbortSignal,
): Promise<void> {
  const { kind, object } = readiness;
  let looks = 0;
  const wait = {
    what: `${client.cluster}: ${describeReadiness(readiness)}`,
    timeoutMs: limits[kind],
    intervalMs,
    signal,
  };
  const advice =
    kind === 'available' || kind === 'scheduled'
      ? { whereToLook: () => diagnose(client, object) }
      : kind === 'address'
        ? { whereToLook: () => diagnoseLoadBalancer(client, object) }
        : {};
  await waitFor({ ...wait, ...advice }, async () => {
    const look =
      kind === 'answering'
        ? await lookAtWebhooks(client, object, namespaces, signal)
        : lookAt(kind, await client.get(object, signal));
    if (!look.done && ++looks === 1) report(`${wait.what}: waiting, ${look.because}`);
    return look;
  });
}
