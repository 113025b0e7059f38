import type { Problem } from '../../core/problem.ts';
import { concurrency } from '../kube/managed.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { pool } from '../kube/pool.ts';
import { isAllowed } from './access-review.ts';
import { missingGrants } from './grants.ts';

/** A required permission: a resource with its group, such as `deployments.apps` or `pods/exec`, and verbs on it. */
interface Need {
  readonly resource: string;
  readonly verbs: readonly string[];
}

const changes = ['get', 'list', 'create', 'patch', 'delete'] as const;

/** Kinds of object in a rendered Istio release, and the secrets that are created when the plan is applied. */
const ofReleases = [
  'clusterrolebindings.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'configmaps',
  'customresourcedefinitions.apiextensions.k8s.io',
  'daemonsets.apps',
  'deployments.apps',
  'horizontalpodautoscalers.autoscaling',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'poddisruptionbudgets.policy',
  'rolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'secrets',
  'serviceaccounts',
  'services',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
];

/** What the checks and the remote secrets need in addition to the applied objects. */
const ofChecks: readonly Need[] = [
  { resource: 'events', verbs: ['list'] },
  { resource: 'nodes', verbs: ['list'] },
  { resource: 'pods', verbs: ['get', 'list', 'create', 'delete'] },
  { resource: 'pods/exec', verbs: ['create', 'get'] },
  { resource: 'pods/log', verbs: ['get'] },
  { resource: 'replicasets.apps', verbs: ['list'] },
  { resource: 'serviceaccounts/token', verbs: ['create'] },
  { resource: 'tokenreviews.authentication.k8s.io', verbs: ['create'] },
];

/**
 * One problem when the credentials of a cluster lack a permission that applying, checking and removing the plan needs in
 * all namespaces, according to the cluster's own authorizer.
 * @param release - returns the rendered objects of the cluster's Istio releases, as far as they are known; called only when needed
 */
export async function missingPermissions(
  client: KubeClient,
  plan: Plan,
  release: () => Promise<readonly KubeObject[]>,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  if (await isAllowed(client, { verb: '*', resource: '*.*' }, signal)) return [];
  const questions = needsOf(client.cluster, plan).flatMap(({ resource, verbs }) =>
    verbs.map((verb) => ({ verb, resource })),
  );
  const answers = await pool(questions, concurrency, async (question) => ({
    ...question,
    allowed: await isAllowed(client, question, signal),
  }));
  const missing = new Map<string, string[]>();
  for (const { verb, resource, allowed } of answers) {
    if (!allowed) missing.set(resource, [...(missing.get(resource) ?? []), verb]);
  }
  const planned = plannedFor(client.cluster, plan);
  const grants = await missingGrants(client, [...planned, ...(await release())], signal);
  if (missing.size + grants.length === 0) return [];
  const byVerbs = Map.groupBy(missing.keys(), (resource) => (missing.get(resource) ?? []).join(', '));
  const missingVerbs = [...byVerbs].map(([verbs, resources]) => `${verbs} on ${resources.join(', ')}`);
  return [
    {
      where: `cluster ${client.cluster}`,
      what: `the credentials of context ${client.config.getCurrentContext()} lack these permissions: ${[...missingVerbs, ...grants].join('; ')}`,
      fix: 'use credentials with the ClusterRole cluster-admin, or have these permissions granted',
    },
  ];
}

function needsOf(cluster: string, plan: Plan): readonly Need[] {
  const resources = [...new Set([...ofReleases, ...plannedFor(cluster, plan).map(resourceOf)])].sort();
  return [...resources.map((resource) => ({ resource, verbs: changes })), ...ofChecks];
}

function plannedFor(cluster: string, plan: Plan): readonly KubeObject[] {
  return plan.steps.filter((step) => step.cluster === cluster).flatMap(({ objects }) => objects);
}

/** The resource of a kind that the API server may not serve yet: `VirtualService` is `virtualservices.networking.istio.io`. */
function resourceOf({ apiVersion, kind }: KubeObject): string {
  const name = kind.toLowerCase();
  const plural = /[^aeiou]y$/.test(name)
    ? `${name.slice(0, -1)}ies`
    : name.endsWith('s')
      ? `${name}es`
      : `${name}s`;
  const [group, version] = apiVersion.split('/');
  return version === undefined ? plural : `${plural}.${group ?? ''}`;
}
