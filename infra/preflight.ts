import { throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { connect } from './connection.ts';
import type { Clients } from './connection.ts';
import type { KubeClient } from './kube-client.ts';
import { describe, isManaged, managedByLabel, manager, partOfLabel } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import type { Plan } from './plan.ts';
import { checkReachable } from './remote-secret.ts';
import type { StackConfig } from './stack-config.ts';
import { findStranded } from './stranded.ts';
import { ensureTrust } from './trust/folder.ts';
import type { ClusterTrust } from './trust/folder.ts';
import { trustProblems } from './trust/preflight.ts';

export interface PreflightOptions extends StackConfig {
  readonly signal?: AbortSignal;
}

/** What either engine starts with. */
export interface Preflight {
  readonly clients: Clients;
  readonly trust: Readonly<Record<string, ClusterTrust>>;
}

/**
 * Finds out whether the plan may be carried out, before anything is recorded or changed in a cluster: the clusters are
 * reached, also by each other, the CAs are sound, nothing is in the way that this mesh did not make, and no pod is left
 * without its control plane.
 * @throws ProblemsError: exit 2 for a wrong kubeconfig, context or trust folder, and for all that every cluster holds of
 * somebody else; exit 1 when a cluster cannot be reached.
 */
export async function preflightMesh(plan: Plan, options: PreflightOptions): Promise<Preflight> {
  const { access, trustDir, trust: settings, signal } = options;
  const clients = await connect(plan.clusters, access, signal);
  checkReachable(Object.values(clients));
  const problems = await Promise.all([
    ...Object.values(clients).map((client) => findStrangers(client, plan, signal)),
    ...Object.values(clients).map((client) => findStranded(client, plan, signal)),
    trustProblems(Object.values(clients), plan.controlPlaneNamespace, trustDir, settings, signal),
  ]);
  throwIfAny(problems.flat());
  const trust = await ensureTrust(trustDir, plan.mesh, plan.clusters, plan.controlPlaneNamespace, settings);
  return { clients, trust };
}

/** Kinds of a release that are not in a namespace: two Istios in a cluster would share them, whatever their revisions. */
const sharedKinds = [
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
] as const;

function isNamedAsIstio({ metadata: { name } }: KubeObject): boolean {
  return name.startsWith('istio') || name.endsWith('.istio.io');
}

/** An Istio of somebody else, and what the plan would take over: its namespaces and other objects outside namespaces. */
async function findStrangers(
  client: KubeClient,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const listOf = async (apiVersion: string, kind: string, labelSelector?: string) => {
    const type = await client.typeOf(apiVersion, kind, signal);
    return type === undefined
      ? []
      : client.list(type, { ...(labelSelector && { labelSelector }), ...(signal && { signal }) });
  };
  const planned = plan.steps
    .filter(({ cluster }) => cluster === client.cluster)
    .flatMap(({ objects }) => objects)
    .filter(({ metadata }) => metadata.namespace === undefined);
  const found = await Promise.all([
    listOf('apps/v1', 'Deployment', 'app=istiod'),
    ...sharedKinds.map(async ([version, kind]) => (await listOf(version, kind)).filter(isNamedAsIstio)),
    ...planned.map(async (object) => (await client.get(object, signal)) ?? []),
  ]);
  const strangers = new Map(
    found
      .flat()
      .filter((object) => !isManaged(object, plan.mesh))
      .map((object) => [describe(object), object]),
  );
  return [...strangers.values()].map((object) => problemOf(client.cluster, object, plan.mesh));
}

function problemOf(cluster: string, object: KubeObject, mesh: string): Problem {
  const where = `${cluster}: ${describe(object)}`;
  const { labels = {}, name } = object.metadata;
  const other = labels[managedByLabel] === manager ? labels[partOfLabel] : undefined;
  if (other !== undefined) {
    return {
      where,
      what: `belongs to mesh ${other}`,
      fix: 'take that mesh down first, or use another cluster',
    };
  }
  if (object.kind !== 'Namespace') {
    return {
      where,
      what: 'belongs to an Istio that meshwright did not install',
      fix: 'uninstall it first, or use another cluster',
    };
  }
  const handOver = `kubectl label namespace ${name} ${managedByLabel}=${manager} ${partOfLabel}=${mesh} --overwrite`;
  return {
    where,
    what: 'exists, and meshwright did not make it',
    fix: `declare another name, or hand it over, so that down deletes it once nothing of others is in it: ${handOver}`,
  };
}
