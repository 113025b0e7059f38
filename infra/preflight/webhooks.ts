import { podOf } from '../../charts/gates/rules/containers.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, isManaged, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { selects } from '../kube/webhooks.ts';

type Labels = Readonly<Record<string, string>>;

/** Namespace labels or annotations that enable another mesh's injection. */
const otherMeshes: readonly {
  readonly mesh: string;
  readonly key: string;
  readonly on: readonly string[];
}[] = [
  { mesh: 'Linkerd', key: 'linkerd.io/inject', on: ['enabled', 'ingress'] },
  { mesh: 'Kuma', key: 'kuma.io/sidecar-injection', on: ['enabled', 'true'] },
  { mesh: 'Istio, in ambient mode', key: 'istio.io/dataplane-mode', on: ['ambient'] },
];

/**
 * Admission webhooks of others that would block the mesh's pods: they match pods in the mesh's namespaces, their failure
 * policy rejects the pod, and their Service has no endpoint. Also namespaces that another mesh injects proxies into.
 */
export async function webhookProblems(
  client: KubeClient,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const planned = plan.steps
    .filter(({ cluster }) => cluster === client.cluster)
    .flatMap(({ objects }) => objects);
  const shared = (plan.existing?.sharedNamespaces ?? []).map((name): KubeObject => {
    return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  });
  const namespaces = [...planned.filter(({ kind }) => kind === 'Namespace'), ...shared];
  const pods = planned.filter(({ kind }) => makers.includes(kind)).map(labelsOfPods);
  const live = await Promise.all(namespaces.map((namespace) => client.get(namespace, signal)));
  const merged = namespaces.map((namespace, index) => withLive(namespace, live[index]));
  const injected = merged.flatMap((namespace) => injectionProblems(client.cluster, namespace));
  const kinds = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
  const found = await Promise.all(
    kinds.map(async (kind) => {
      const type = await client.typeOf('admissionregistration.k8s.io/v1', kind, signal);
      return type === undefined ? [] : client.list(type, { ...(signal && { signal }) });
    }),
  );
  const silent = await Promise.all(
    found
      .flat()
      .filter((configuration) => !isManaged(configuration, plan.mesh))
      .map((configuration) => silentWebhooks(client, configuration, { namespaces: merged, pods }, signal)),
  );
  return [...injected, ...silent.flat()];
}

function withLive(planned: KubeObject, live: KubeObject | undefined): KubeObject {
  const { labels, annotations } = live?.metadata ?? {};
  const { metadata } = planned;
  return {
    ...planned,
    metadata: {
      ...metadata,
      labels: { ...labels, ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name },
      annotations: { ...annotations, ...metadata.annotations },
    },
  };
}

function injectionProblems(cluster: string, namespace: KubeObject): readonly Problem[] {
  const { labels = {}, annotations = {}, name } = namespace.metadata;
  return otherMeshes.flatMap(({ mesh, key, on }): Problem[] => {
    const [kind, value] = Object.hasOwn(labels, key)
      ? ['label', labels[key]]
      : ['annotation', annotations[key]];
    if (value === undefined || !on.includes(value)) return [];
    return [
      {
        where: `${cluster}: ${describe(namespace)}`,
        what: `its ${kind} ${key} asks another mesh, ${mesh}, to inject its proxies into the same pods`,
        received: value,
        fix: `kubectl ${kind === 'label' ? 'label' : 'annotate'} namespace ${name} ${key}-`,
      },
    ];
  });
}

async function silentWebhooks(
  client: KubeClient,
  configuration: KubeObject,
  { namespaces, pods }: { readonly namespaces: readonly KubeObject[]; readonly pods: readonly Labels[] },
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const asked = list(configuration, 'webhooks').filter(
    (webhook) =>
      text(webhook, 'failurePolicy') !== 'Ignore' &&
      list(webhook, 'rules').some(isAboutPods) &&
      pods.some((labels) => selects(field(webhook, 'objectSelector'), labels)) &&
      namespaces.some(({ metadata }) => selects(field(webhook, 'namespaceSelector'), labelsOf(metadata))),
  );
  const problems = await Promise.all(
    asked.map(async (webhook): Promise<Problem[]> => {
      const name = text(webhook, 'clientConfig', 'service', 'name');
      const namespace = text(webhook, 'clientConfig', 'service', 'namespace');
      // A webhook at a URL runs elsewhere: only the API server can tell whether it answers.
      if (name === undefined || namespace === undefined) return [];
      if (await hasEndpoints(client, namespace, name, signal)) return [];
      return [
        {
          where: `${client.cluster}: ${describe(configuration)}`,
          what: `its webhook ${text(webhook, 'name') ?? ''} matches pods of this mesh, and its Service ${namespace}/${name} has no endpoint: no pod could be created`,
          fix: 'restore the workload that serves it, delete the webhook if that workload is gone, or exclude the namespaces of the mesh in its namespaceSelector',
        },
      ];
    }),
  );
  return problems.flat();
}

function labelsOf(metadata: KubeObject['metadata']): Labels {
  return metadata.labels ?? {};
}

/** Kinds of what makes the mesh's pods. */
const makers = ['Deployment', 'StatefulSet', 'Job', 'CronJob'];

function labelsOfPods(maker: KubeObject): Labels {
  return (field(podOf(maker), 'metadata', 'labels') ?? {}) as Labels;
}

function isAboutPods(rule: unknown): boolean {
  const has = (key: string, ...values: readonly string[]) =>
    list(rule, key).some((entry) => values.includes(String(entry)));
  return (
    has('apiGroups', '', '*') && has('operations', 'CREATE', '*') && has('resources', 'pods', '*', '*/*')
  );
}

async function hasEndpoints(
  client: KubeClient,
  namespace: string,
  service: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const type = await client.typeOf('discovery.k8s.io/v1', 'EndpointSlice', signal);
  if (type === undefined) return true;
  const labelSelector = `kubernetes.io/service-name=${service}`;
  const slices = await client.list(type, { namespace, labelSelector, ...(signal && { signal }) });
  return slices
    .flatMap((slice) => list(slice, 'endpoints'))
    .some((endpoint) => field(endpoint, 'conditions', 'ready') !== false);
}
