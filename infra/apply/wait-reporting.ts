import { waitFor } from '../../core/wait.ts';
import type { Look } from '../../core/wait.ts';
import type { PodTimes } from './pod-watch.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { count } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { describeReadiness, podsWanted } from '../plan/readiness.ts';
import type { Readiness, ReadinessKind } from '../plan/readiness.ts';

/** How long each state may take, in milliseconds, of a StatefulSet each of its pods: images are pulled and nodes may be busy. */
export const readinessLimits: Readonly<Record<ReadinessKind, number>> = {
  active: 30_000,
  established: 60_000,
  available: 300_000,
  scheduled: 300_000,
  complete: 300_000,
  address: 120_000,
  answering: 120_000,
  // Beyond the time that it says itself that it may take.
  ended: 60_000,
};
const intervalMs = 500;

export interface AwaitOptions {
  /** Namespaces of the mesh, among which one that the webhooks select is found. */
  readonly namespaces: readonly KubeObject[];
  readonly report: (line: string) => void;
  /** @default readinessLimits */
  readonly limits?: Readonly<Record<ReadinessKind, number>>;
  /** @default podTimes */
  readonly pods?: PodTimes;
  readonly signal?: AbortSignal;
}

/** Waits until a look says that it is done, and reports what was missing at the first one. */
export async function waitReporting(
  client: KubeClient,
  readiness: Readiness,
  { report, limits = readinessLimits }: AwaitOptions,
  rest: { readonly signal: AbortSignal; readonly whereToLook?: () => Promise<string> },
  look: () => Promise<Look<true>>,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const what = `${client.cluster}: ${describeReadiness(readiness)}`;
  let looks = 0;
  const timeoutMs = limits[readiness.kind] * turns(readiness) + ownLimit(readiness);
  await waitFor({ what, timeoutMs, intervalMs, ...rest }, async () => {
    const seen = await look();
    if (!seen.done && ++looks === 1) report(`${what}: waiting, ${seen.because}`);
    if (!seen.done) await meanwhile();
    return seen;
  });
}

/** How often its state is waited for: the pods of a StatefulSet change one after the other. */
function turns({ kind, object }: Readiness): number {
  return kind === 'complete' ? Math.max(1, podsWanted(object)) : 1;
}

/** What an object says itself of how long it may take, in milliseconds. */
function ownLimit({ kind, object }: Readiness): number {
  return kind === 'ended' ? count(object, 'spec', 'activeDeadlineSeconds') * 1000 : 0;
}
