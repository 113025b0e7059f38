import { raiseToMinimum } from './autoscaling.ts';
import { awaitReady } from './await-ready.ts';
import type { Clients } from './connection.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import type { Plan, PlanStep, PlannedSecret } from './plan.ts';
import { readinessOf } from './readiness.ts';
import { makeRemoteSecret } from './remote-secret.ts';
import { cacertsSecret } from './trust.ts';
import type { ClusterTrust } from './trust.ts';

/** What the work on every step of a plan is done with, by either driver. */
export interface PlanContext {
  readonly plan: Plan;
  readonly clients: Clients;
  readonly trust: Readonly<Record<string, ClusterTrust>>;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Makes a planned secret, when its step is reached: what it is made from exists once the steps before are ready.
 * @param preview - nothing is asked for that the clusters would have to make: what is due is shown as due
 * @throws ProblemsError (exit 1) when a cluster does not give what the secret is made from.
 */
export async function makeSecret(
  step: PlanStep,
  secret: PlannedSecret,
  context: PlanContext,
  preview = false,
): Promise<KubeObject> {
  const { plan, clients, trust, report, signal } = context;
  switch (secret.kind) {
    case 'cacerts': {
      const own = trust[step.cluster];
      if (own === undefined) throw new Error(`no CA was made for cluster ${step.cluster}`);
      return cacertsSecret(plan.mesh, secret.namespace, own);
    }
    case 'remote-secret':
      return makeRemoteSecret({
        mesh: plan.mesh,
        namespace: secret.namespace,
        local: clientOf(clients, step.cluster),
        remote: clientOf(clients, secret.of),
        preview,
        report,
        ...(signal && { signal }),
      });
  }
}

/**
 * Ends a step: what its autoscalers scale gets the fewest pods it may have, and everything gets ready.
 * @param release - the rendered objects of the step's Istio releases
 * @throws ProblemsError (exit 1) for what does not get ready in time.
 */
export async function settle(
  step: PlanStep,
  release: readonly KubeObject[],
  { plan, clients, report, signal }: PlanContext,
): Promise<void> {
  const client = clientOf(clients, step.cluster);
  const namespaces = plan.steps
    .filter(({ cluster }) => cluster === step.cluster)
    .flatMap(({ objects }) => objects)
    .filter(({ kind }) => kind === 'Namespace');
  await raiseToMinimum(client, step.objects, signal);
  const awaiting = { namespaces, report, ...(signal && { signal }) };
  await awaitReady(client, [...step.ready, ...readinessOf(release)], awaiting);
}

/** The client of a cluster of the plan. */
export function clientOf(clients: Clients, cluster: string): KubeClient {
  const client = clients[cluster];
  if (client === undefined) throw new Error(`no client was made for cluster ${cluster}`);
  return client;
}
