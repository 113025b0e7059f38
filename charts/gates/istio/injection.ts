import type { Problem } from '../../../core/problem.ts';
import { podsOf } from '../pods.ts';
import type { Pods } from '../pods.ts';
import { revisionLabel } from '../../model/labels.ts';
import { mapping, ofKind, text, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../../model/rendered.ts';
import { acceptedBy } from '../rules/rule.ts';

const injection = 'istio-injection';
const inject = 'sidecar.istio.io/inject';
const dataPlane = 'istio.io/dataplane-mode';
const accepted = acceptedBy('behind-proxy');

/**
 * Pods get their proxies by one label of their namespace, or by one of their own where the namespace has none
 * (https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy). A pod that gets
 * none takes calls by itself and calls whom it likes. There is no ambient data plane in the mesh.
 */
export function injected({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => [
    ...ofKind(cluster, 'Namespace').flatMap(namespaceProblems),
    ...podsOf(cluster).flatMap((pods) => podProblems(cluster, pods)),
  ]);
}

function namespaceProblems({ where, object }: RenderedObject): readonly Problem[] {
  const labels = mapping(object, 'metadata', 'labels');
  const ways = [injection, revisionLabel].filter((name) => labels[name] !== undefined);
  return [
    ...ambient(where, title(object), labels),
    ...(ways.length < 2 || labels[injection] === 'disabled'
      ? []
      : [
          {
            where,
            what: `${title(object)} has two injection labels, and Istio uses only ${injection}`,
            received: Object.fromEntries(ways.map((name) => [name, labels[name]])),
            fix: 'keep one of them',
          },
        ]),
  ];
}

function ambient(where: string, at: string, labels: Readonly<Record<string, string>>): readonly Problem[] {
  const received = labels[dataPlane];
  if (received === undefined || received === 'none') return [];
  const what = `${at}: the label ${dataPlane} selects the ambient data plane, which the mesh does not have`;
  return [{ where, what, received, fix: 'remove it: pods of the mesh have sidecars' }];
}

function podProblems(cluster: RenderedCluster, { of, pod, namespace, labels }: Pods): readonly Problem[] {
  const { where, object } = of;
  const found = ambient(where, `${title(object)}: its pods`, labels);
  const home = ofKind(cluster, 'Namespace').find((one) => one.object.metadata.name === namespace);
  // Who makes the namespace decides; what asks for no proxy is refused by the rule behind-proxy.
  if (home === undefined || declinesProxy(pod)) return found;
  if ((text(object, 'metadata', 'annotations', accepted) ?? '').trim() !== '') return found;
  const why = withoutProxy(mapping(home.object, 'metadata', 'labels'), labels);
  if (why === undefined) return found;
  const what = `${title(object)}: its pods get no proxy, because ${why}`;
  const fix =
    `declare the namespace with mesh.namespace, or give the pods the label ${inject}: "true" if the namespace has no injection label; ` +
    `or, if it has to be so, give the reason in its annotation ${accepted}`;
  return [...found, { where, what, fix }];
}

/** Whether Istio's webhooks add a proxy to a pod: it does not ask for none, and a label of its namespace or its own asks for one. */
export function getsProxy(ofNamespace: Readonly<Record<string, string>>, pod: unknown): boolean {
  return !declinesProxy(pod) && withoutProxy(ofNamespace, mapping(pod, 'metadata', 'labels')) === undefined;
}

function declinesProxy(pod: unknown): boolean {
  return (['labels', 'annotations'] as const).some((key) => text(pod, 'metadata', key, inject) === 'false');
}

/** Why Istio's webhooks pass pods by; undefined where one takes them. */
function withoutProxy(
  ofNamespace: Readonly<Record<string, string>>,
  ofPods: Readonly<Record<string, string>>,
): string | undefined {
  const says = ofNamespace[injection];
  if (says === 'enabled') return undefined;
  if (says !== undefined) return `their namespace has the label ${injection}: ${says}`;
  if (ofNamespace[revisionLabel] !== undefined || ofPods[revisionLabel] !== undefined) return undefined;
  if (ofPods[inject] === 'true') return undefined;
  return `neither they nor their namespace have an injection label`;
}
