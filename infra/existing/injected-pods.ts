import { revisionLabel } from '../../charts/model/labels.ts';
import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import { podOf } from '../../charts/gates/rules/containers.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { KubeError } from '../kube/kube-http.ts';
import { describe, field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { concurrency } from '../kube/managed.ts';
import { pool } from '../kube/pool.ts';
import { hasProxy } from '../kube/proxies.ts';
import { podToTry, selects } from '../kube/webhooks.ts';
import type { Plan } from '../plan/plan.ts';
import type { Injector } from './found-istio.ts';
import { injectionProblems } from './injection.ts';

type Labels = Readonly<Record<string, string>>;
const injectLabel = 'sidecar.istio.io/inject';
const consequence = 'they would start without a proxy, and answer anybody in plaintext';
/** Of the injector's ConfigMap: with both, a pod gets a proxy that asks for one by {@link injectLabel}. */
const injecting = ['enabled', 'disabled'];

/**
 * Whether pods of the mesh get a proxy: where their namespace is as it will be, by what admission makes of one in a dry run; else
 * by the selectors of the injector's webhooks.
 * @param injector - undefined where the declared revision has none, which is told elsewhere
 */
export async function injectedPodProblems(
  client: KubeClient,
  plan: Plan,
  existing: ExistingIstioModel,
  injector: Injector | undefined,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  if (injector === undefined) return [];
  const { policy } = injector;
  if (policy !== undefined && !injecting.includes(policy))
    return [
      {
        where: `${client.cluster}: Istio`,
        what: `its injector gives a proxy to no pod, whatever pods ask for: those of the mesh would answer anybody in plaintext`,
        received: `policy: ${policy}`,
        allowed: injecting.join(', '),
        fix: 'have its owners set values.global.proxy.autoInject to one of these',
      },
    ];
  const planned = plan.steps
    .filter(({ cluster }) => cluster === client.cluster)
    .flatMap((step) => step.objects);
  const own = planned.filter(({ kind }) => kind === 'Namespace');
  const shared = existing.sharedNamespaces.map((name): KubeObject => {
    return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  });
  const found = await Promise.all(
    [...own, ...shared].map(async (namespace): Promise<readonly Problem[]> => {
      const makers = planned.filter((object) => makesPodsIn(object, namespace.metadata.name));
      if (makers.length === 0) return [];
      const live = await client.get(namespace, signal);
      const merged = withLive(namespace, live);
      // Its labels are told already; a shared one that is not there, too.
      if (injectionProblems(client.cluster, merged, existing, injector.revision).length > 0) return [];
      if (live === undefined && !own.includes(namespace)) return [];
      const asItWillBe = Object.entries(merged.metadata.labels ?? {}).every(
        ([key, value]) => live?.metadata.labels?.[key] === value,
      );
      return live !== undefined && asItWillBe
        ? tried(client, merged, makers, injector, warn, signal)
        : unselected(client, merged, makers, injector);
    }),
  );
  return found.flat();
}

/** Whether an object makes pods in a namespace that are to have a proxy. */
function makesPodsIn(object: KubeObject, namespace: string): boolean {
  const pod = podOf(object);
  return (
    object.metadata.namespace === namespace &&
    field(pod, 'spec') !== undefined &&
    text(pod, 'metadata', 'labels', injectLabel) !== 'false'
  );
}

function withLive(planned: KubeObject, live: KubeObject | undefined): KubeObject {
  const labels = { ...live?.metadata.labels, ...planned.metadata.labels };
  return { ...planned, metadata: { ...planned.metadata, labels } };
}

/** What admission makes of their pods, which are not stored. */
async function tried(
  client: KubeClient,
  namespace: KubeObject,
  makers: readonly KubeObject[],
  injector: Injector,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const { name } = namespace.metadata;
  const answers = await pool(makers, concurrency, async (maker) => {
    const metadata = (field(podOf(maker), 'metadata') ?? {}) as Partial<KubeObject['metadata']>;
    try {
      const pod = await client.dryRunCreate(podToTry(name, metadata), signal);
      return { maker, isInjected: hasProxy(pod), because: undefined };
    } catch (error) {
      if (!(error instanceof ProblemsError)) throw error;
      // Others decide on the pod as well, by what it is here, or take no dry runs.
      return {
        maker,
        isInjected: undefined,
        because: error instanceof KubeError ? error.reason : error.message,
      };
    }
  });
  const [refused] = answers.flatMap(({ because }) => because ?? []);
  if (refused !== undefined)
    warn(
      `cluster ${client.cluster}: whether pods in namespace ${name} get a proxy was not seen before the apply, as a dry run was refused: ${refused}`,
    );
  const without = answers.filter(({ isInjected }) => isInjected === false).map(({ maker }) => maker);
  if (without.length === 0) return [];
  return [
    {
      where: `${client.cluster}: ${describe(namespace)}`,
      what: `the injector of Istio passes by the pods of ${without.map(describe).join(', ')}: ${consequence}`,
      received: 'in a dry run, a pod without the container istio-proxy',
      fix: `have the owners of Istio look at the selectors of MutatingWebhookConfiguration ${injector.configuration.metadata.name}, and whether its istiod answers: where it does not, failurePolicy Ignore lets pods pass`,
    },
  ];
}

/** Those of their pods that no webhook selects, once their namespace is as it will be. */
function unselected(
  client: KubeClient,
  namespace: KubeObject,
  makers: readonly KubeObject[],
  { configuration, revision }: Injector,
): readonly Problem[] {
  const { name, labels } = namespace.metadata;
  const ofNamespace = { ...labels, 'kubernetes.io/metadata.name': name };
  const without = makers.filter((maker) => {
    const ofPod = (field(podOf(maker), 'metadata', 'labels') ?? {}) as Labels;
    return !list(configuration, 'webhooks').some(
      (webhook) =>
        selects(field(webhook, 'namespaceSelector'), ofNamespace) &&
        selects(field(webhook, 'objectSelector'), ofPod),
    );
  });
  if (without.length === 0) return [];
  return [
    {
      where: `${client.cluster}: ${describe(namespace)}`,
      what: `no webhook of Istio's injector selects the pods of ${without.map(describe).join(', ')}: ${consequence}`,
      received: `the selectors of MutatingWebhookConfiguration ${configuration.metadata.name}`,
      allowed: `a webhook that selects pods with ${injectLabel}=true and ${revisionLabel}=${configuration.metadata.labels?.['istio.io/tag'] ?? revision}`,
      fix: 'have the owners of Istio make it anew (istioctl tag set, or the chart of istiod), or declare another revision or tag',
    },
  ];
}
