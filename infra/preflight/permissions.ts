import type { Problem } from '../../core/problem.ts';
import { field } from '../kube-object.ts';
import { concurrency } from '../managed.ts';
import type { KubeClient } from '../kube-client.ts';
import type { KubeObject } from '../kube-object.ts';
import type { Plan } from '../plan.ts';
import { pool } from '../pool.ts';

/** What has to be allowed: a resource with its group, such as `deployments.apps` or `pods/exec`, and verbs on it. */
interface Need {
  readonly resource: string;
  readonly verbs: readonly string[];
}

const changes = ['get', 'list', 'create', 'patch', 'delete'] as const;

/** What a rendered Istio release consists of, and the secrets that are made when the plan is carried out. */
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

/** What the checks and the remote secrets need beside the objects that are applied. */
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
 * One problem when the credentials of a cluster may not do all that carrying out, checking and removing the plan takes,
 * as the cluster's own authorizer says (SelfSubjectAccessReview, in all namespaces).
 */
export async function missingPermissions(
  client: KubeClient,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  if (await isAllowed(client, '*', '*.*', signal)) return [];
  const questions = needsOf(client.cluster, plan).flatMap(({ resource, verbs }) =>
    verbs.map((verb) => ({ verb, resource })),
  );
  const answers = await pool(questions, concurrency, async (question) => ({
    ...question,
    allowed: await isAllowed(client, question.verb, question.resource, signal),
  }));
  const missing = new Map<string, string[]>();
  for (const { verb, resource, allowed } of answers) {
    if (!allowed) missing.set(resource, [...(missing.get(resource) ?? []), verb]);
  }
  if (missing.size === 0) return [];
  const byVerbs = Map.groupBy(missing.keys(), (resource) => (missing.get(resource) ?? []).join(', '));
  const said = [...byVerbs].map(([verbs, resources]) => `${verbs} on ${resources.join(', ')}`);
  return [
    {
      where: `cluster ${client.cluster}`,
      what: `the credentials of context ${client.config.getCurrentContext()} may not ${said.join('; ')}`,
      fix: 'use credentials with the ClusterRole cluster-admin, or have these granted',
    },
  ];
}

function needsOf(cluster: string, plan: Plan): readonly Need[] {
  const planned = plan.steps.filter((step) => step.cluster === cluster).flatMap(({ objects }) => objects);
  const resources = [...new Set([...ofReleases, ...planned.map(resourceOf)])].sort();
  return [...resources.map((resource) => ({ resource, verbs: changes })), ...ofChecks];
}

/** The resource of a kind, which the API server may not serve yet: `VirtualService` is `virtualservices.networking.istio.io`. */
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

async function isAllowed(
  client: KubeClient,
  verb: string,
  resource: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const [path = '', ...group] = resource.split('.');
  const [name, subresource] = path.split('/');
  const answer = await client.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: {
        resourceAttributes: {
          verb,
          group: group.join('.'),
          resource: name,
          ...(subresource !== undefined && { subresource }),
        },
      },
    },
    ...(signal && { signal }),
  });
  return field(answer, 'status', 'allowed') === true;
}
