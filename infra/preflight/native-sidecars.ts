import { getsProxy } from '../../charts/gates/istio/injection.ts';
import { podOf } from '../../charts/gates/rules/containers.ts';
import { nativeSidecarAnnotation } from '../../charts/model/labels.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { hasProxy } from '../kube/proxies.ts';
import { podToTry } from '../kube/webhooks.ts';
import type { Plan } from '../plan/plan.ts';

/** The oldest minor version of Kubernetes 1 whose kubelet knows native sidecars, unless they are switched off (KEP-753). */
const oldestKubelet = 29;

/**
 * Jobs and CronJobs whose pods would not get their proxy as a native sidecar: it would run on after their containers, and they would never end. They
 * ask for one whatever the injector's default is (`ENABLE_NATIVE_SIDECARS`), so what is left is whether nodes know it, and whether the injector
 * and the API server, asked for such a pod in a dry run, make one. Where the namespace is not there yet, only the nodes are looked at.
 */
export async function nativeSidecarProblems(
  client: KubeClient,
  plan: Plan,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const planned = plan.steps
    .filter(({ cluster }) => cluster === client.cluster)
    .flatMap(({ objects }) => objects);
  const asking = planned.filter(
    (object) => text(podOf(object), 'metadata', 'annotations', nativeSidecarAnnotation) === 'true',
  );
  if (asking.length === 0) return [];
  const names = asking.map(describe).join(', ');
  const nodes = await oldNodes(client, warn, signal);
  if (nodes.length > 0)
    return [
      {
        where: `cluster ${client.cluster}`,
        what: `its nodes know no native sidecars, and pods of ${names} would never end, as their proxy runs on`,
        received: nodes.join(', '),
        allowed: `kubelets of Kubernetes 1.${oldestKubelet} or newer`,
        fix: 'upgrade the nodes, or run them in another cluster',
      },
    ];
  const perNamespace = Map.groupBy(asking, ({ metadata }) => metadata.namespace ?? '');
  const found = await Promise.all(
    [...perNamespace].map(async ([namespace, [first]]) => {
      const home = planned.find(({ kind, metadata }) => kind === 'Namespace' && metadata.name === namespace);
      return first === undefined ? [] : tried(client, first, namespace, home, warn, signal);
    }),
  );
  return found.flat();
}

/** Nodes whose kubelet is too old: `node-1 (v1.28.3)`. */
async function oldNodes(
  client: KubeClient,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  try {
    const type = await client.typeOf('v1', 'Node', signal);
    const nodes = type === undefined ? [] : await client.list(type, { ...(signal && { signal }) });
    return nodes.flatMap((node) => {
      const version = text(node, 'status', 'nodeInfo', 'kubeletVersion') ?? '';
      const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
      if (major !== '1' || Number(minor) >= oldestKubelet) return [];
      return [`${node.metadata.name} (${version})`];
    });
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    warn(`cluster ${client.cluster}: whether its nodes know native sidecars was not seen: ${error.message}`);
    return [];
  }
}

/** What admission makes of a pod of an object, which is not stored. */
async function tried(
  client: KubeClient,
  maker: KubeObject,
  namespace: string,
  home: KubeObject | undefined,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const live = await client.get(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    signal,
  );
  if (live === undefined) return [];
  const labels = { ...live.metadata.labels, ...home?.metadata.labels };
  const pod = podOf(maker);
  // Without an injector yet, or with labels that are about to change, the answer would be about another one.
  const asItIs = Object.entries(labels).every(([key, value]) => live.metadata.labels?.[key] === value);
  if (!asItIs || !getsProxy(labels, pod)) return [];
  let made: KubeObject;
  try {
    const metadata = field(pod, 'metadata') as Partial<KubeObject['metadata']>;
    made = await client.dryRunCreate(podToTry(namespace, metadata), signal);
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    warn(
      `cluster ${client.cluster}: whether pods in namespace ${namespace} get native sidecars was not seen before the apply, as a dry run was refused: ${error.message}`,
    );
    return [];
  }
  // Pods without any are told elsewhere, or once they are there.
  if (!hasProxy(made) || isNative(made)) return [];
  return [
    {
      where: `${client.cluster}: ${describe(maker)}`,
      what: 'its pods would never end: the injector of Istio gives them a proxy that runs on when their containers have ended',
      received: 'in a dry run, istio-proxy among the containers, or without restartPolicy Always',
      allowed: 'istio-proxy as a native sidecar: an init container with restartPolicy Always',
      fix: 'look whether the API server has the feature gate SidecarContainers on, and whether the injector has a template of its own',
    },
  ];
}

function isNative(pod: KubeObject): boolean {
  return list(pod, 'spec', 'initContainers').some(
    (container) => text(container, 'name') === 'istio-proxy' && text(container, 'restartPolicy') === 'Always',
  );
}
