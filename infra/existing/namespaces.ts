import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { selects } from '../kube/webhooks.ts';
import type { Plan } from '../plan/plan.ts';
import type { FoundIstio } from './found-istio.ts';
import { injectionProblems } from './injection.ts';

const enforceLabel = 'pod-security.kubernetes.io/enforce';

/**
 * What is wrong with the namespaces that workloads of the mesh are to run in, those of others and its own.
 * @param revision - as in {@link injectionProblems}
 */
export async function namespaceProblems(
  client: KubeClient,
  plan: Plan,
  existing: ExistingIstioModel,
  revision: string | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const { sharedNamespaces, cni } = existing;
  const own = plannedIn(plan, client.cluster)
    .filter(({ kind }) => kind === 'Namespace')
    .map(async (namespace): Promise<readonly Problem[]> => {
      const { labels, name } = (await client.get(namespace, signal))?.metadata ?? namespace.metadata;
      const metadata = { name, labels: { ...labels, ...namespace.metadata.labels } };
      return injectionProblems(client.cluster, { ...namespace, metadata }, existing, revision);
    });
  const found = await Promise.all([
    ...own,
    ...sharedNamespaces.map(async (name): Promise<readonly Problem[]> => {
      const live = await client.get(namespaceNamed(name), signal);
      const where = `${client.cluster}: Namespace ${name}`;
      if (live === undefined)
        return [
          {
            where,
            what: 'does not exist, and is declared as shared: the mesh does not make it',
            fix: `have its owners create it, or declare mesh.namespace('${name}') without shared`,
          },
        ];
      if (text(live, 'status', 'phase') === 'Terminating')
        return [
          {
            where,
            what: 'is being deleted: nothing can be created in it',
            fix: 'wait until it is gone and have its owners create it again, or declare another namespace',
          },
        ];
      return [
        ...podSecurityProblems(where, live, cni),
        ...injectionProblems(client.cluster, live, existing, revision),
      ];
    }),
  ]);
  return found.flat();
}

/**
 * Without Istio's CNI agent each pod gets an init container with NET_ADMIN and NET_RAW, which only `privileged` admits
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/). With it, pods of the mesh are as `restricted` asks.
 */
function podSecurityProblems(where: string, { metadata }: KubeObject, cni: boolean): readonly Problem[] {
  const level = metadata.labels?.[enforceLabel];
  if (cni || level === undefined || level === 'privileged') return [];
  return [
    {
      where,
      what: 'Pod Security admits none of the pods, because their proxies come with an init container that changes the network',
      received: `${enforceLabel}=${level}`,
      allowed: 'privileged',
      fix: "have the owners of Istio install its CNI agent and declare cni: true, or have the namespace's owners change the label",
    },
  ];
}

/** Namespaces of the mesh that istiod does not watch: it would know neither their services nor their policies. */
export async function discoveryProblems(
  { client, meshConfig }: FoundIstio,
  plan: Plan,
  { sharedNamespaces }: ExistingIstioModel,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const selectors = list(meshConfig, 'discoverySelectors');
  if (selectors.length === 0) return [];
  const shared = await Promise.all(
    sharedNamespaces.map(async (name) => (await client.get(namespaceNamed(name), signal)) ?? []),
  );
  const ours = plan.steps
    .filter(({ cluster }) => cluster === client.cluster)
    .flatMap(({ objects }) => objects)
    .filter(({ kind }) => kind === 'Namespace');
  const unseen = [...ours, ...shared.flat()].filter(
    ({ metadata: { name, labels = {} } }) =>
      !selectors.some((selector) => selects(selector, { ...labels, 'kubernetes.io/metadata.name': name })),
  );
  if (unseen.length === 0) return [];
  const names = unseen.map(({ metadata }) => metadata.name).join(', ');
  return [
    {
      where: `${client.cluster}: Istio`,
      what: `does not watch ${unseen.length === 1 ? 'namespace' : 'namespaces'} ${names}: proxies would know none of the services and policies there`,
      received: selectors,
      allowed: 'meshConfig.discoverySelectors that select them',
      fix: `have its owners add {matchLabels: {app.kubernetes.io/part-of: ${plan.mesh}}}, which namespaces of the mesh have, and a selector for those that are shared`,
    },
  ];
}

function plannedIn(plan: Plan, cluster: string): readonly KubeObject[] {
  return plan.steps.filter((step) => step.cluster === cluster).flatMap(({ objects }) => objects);
}

function namespaceNamed(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** A CNI agent that is declared and not there. One that is there and not declared does no harm. */
export function cniProblems({ client, values }: FoundIstio, { cni }: ExistingIstioModel): readonly Problem[] {
  if (!cni || values === undefined || field(values, 'pilot', 'cni', 'enabled') === true) return [];
  return [
    {
      where: `${client.cluster}: Istio`,
      what: 'has no CNI agent: each pod gets an init container that changes the network, which namespaces of the mesh do not admit',
      fix: 'have its owners install the agent, or declare existing({ istio: { cni: false } })',
    },
  ];
}
