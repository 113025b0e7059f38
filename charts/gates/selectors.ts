import type { Problem } from '../../core/problem.ts';
import { podsOf, selects } from './pods.ts';
import type { Pods } from './pods.ts';
import { aboutPods, isByReference, ownersOfPods, selectorOf } from './rules/about-pods.ts';
import { acceptedBy } from './rules/rule.ts';
import { groupOf, isJoined, mapping, ofKind, push, text, title } from '../model/rendered.ts';
import type { OthersIstio, RenderedMesh, RenderedObject } from '../model/rendered.ts';

/** Istio's root namespace: what is there is about the pods of every namespace. */
const rootNamespace = 'istio-system';

/** Label of the pods that istiod makes for a Gateway of the Gateway API. */
const gatewayApi = 'gateway.networking.k8s.io/gateway-name';

/** Kinds of which Istio heeds one for each pod: the oldest, or any. */
const single = ['Sidecar', 'PeerAuthentication', 'Telemetry'];

/**
 * A selector has to select: a workload its own pods, and what is about pods, pods of some cluster. Of what a pod can have
 * only one, no two may be about the same pods.
 */
export function selections({ clusters, istio }: RenderedMesh): readonly Problem[] {
  const running = clusters.map((cluster) => ({ cluster, pods: podsOf(cluster) }));
  const anywhere = finder(running.flatMap(({ pods }) => pods));
  return running.flatMap(({ cluster, pods }) => [
    ...pods.flatMap(strangers),
    ...Object.keys(aboutPods).flatMap((kind) =>
      ofKind(cluster, kind).flatMap((rendered) => [
        ...(isOfOthers(rendered, istio) ? [] : selectsNothing(rendered, anywhere)),
        ...selectsGatewayApi(rendered),
      ]),
    ),
    ...single.flatMap((kind) => rivals(ofKind(cluster, kind), finder(pods))),
  ]);
}

type Finder = (namespace: string, selector: Readonly<Record<string, string>>) => readonly Pods[];

/** Finds the pods that a selector selects, by its first label, so that a large mesh does not compare all with all. */
function finder(pods: readonly Pods[]): Finder {
  const byLabel = new Map<string, Pods[]>();
  for (const found of pods) {
    for (const label of Object.entries(found.labels)) {
      push(byLabel, label.join('='), found);
    }
  }
  return (namespace, selector) => {
    const [first] = Object.entries(selector);
    const candidates = first === undefined ? [] : (byLabel.get(first.join('=')) ?? []);
    return candidates.filter(
      (found) =>
        (found.namespace === namespace || namespace === rootNamespace) && selects(selector, found.labels),
    );
  };
}

/** A workload whose selector is unlike the labels of its pods: the API server refuses it. */
function strangers({ of: { where, object }, labels }: Pods): readonly Problem[] {
  const isOwner = ownersOfPods[object.kind] !== undefined;
  const wanted = isOwner ? selectorOf(object) : mapping(object, 'spec', 'selector', 'matchLabels');
  if (selects(wanted, labels)) return [];
  const what = `${title(object)}: spec.selector does not select the pods of its own template`;
  const allowed = Object.entries(labels).map((label) => label.join('='));
  const fix = 'give the template the labels that the selector names';
  return [{ where, what, received: wanted, allowed: allowed.join(', '), fix }];
}

/** Labels that controllers and Istio's injection give pods beside those of their template. */
const added =
  /^(?:statefulset\.kubernetes\.io\/pod-name|apps\.kubernetes\.io\/pod-index|(?:batch\.kubernetes\.io\/)?(?:job-name|controller-uid|job-completion-index)|service\.istio\.io\/canonical-(?:name|revision)|security\.istio\.io\/tlsMode|topology\.istio\.io\/network)$/;

/** The exception for a selector of pods that somebody else makes, such as an operator. */
const podsOfOthers = acceptedBy('pods-of-others');

function selectsNothing({ where, object }: RenderedObject, anywhere: Finder): readonly Problem[] {
  const given = Object.entries(selectorOf(object)).filter(([label]) => !added.test(label));
  const wanted = Object.fromEntries(given);
  // Gateways may be beside their pods or elsewhere.
  const isWide = object.kind === 'Gateway';
  const { namespace = '' } = object.metadata;
  if ((text(object, 'metadata', 'annotations', podsOfOthers) ?? '').trim() !== '') return [];
  if (Object.keys(wanted).length === 0) return [];
  if (anywhere(isWide ? rootNamespace : namespace, wanted).length > 0) return [];
  const path = (aboutPods[object.kind] ?? []).join('.');
  const home = isWide ? 'any namespace' : `namespace ${namespace}`;
  const what = `${title(object)}: ${path} selects no pod of ${home} in any cluster`;
  return [
    {
      where,
      what,
      received: wanted,
      fix: `give the pods the labels, or remove it; if something else creates the pods, give the reason in the annotation ${podsOfOthers}`,
    },
  ];
}

/**
 * Whether an object is for gateways of others that edges join, or for whatever pods of the mesh a namespace has, now or later: what
 * holds for all of them on an Istio of others.
 */
function isOfOthers({ object }: RenderedObject, istio: OthersIstio | undefined): boolean {
  if (istio === undefined) return false;
  const selector = selectorOf(object);
  if (object.kind === 'Gateway') return isJoined(istio, selector);
  const all = Object.entries(istio.labels);
  return all.length === Object.keys(selector).length && selects(istio.labels, selector);
}

/** A selector of pods of the Gateway API, for which Istio uses only `targetRefs`. */
function selectsGatewayApi({ where, object }: RenderedObject): readonly Problem[] {
  const path = aboutPods[object.kind] ?? [];
  const received = selectorOf(object)[gatewayApi];
  const isIstios = /(^|\.)istio\.io$/.test(groupOf(object));
  if (received === undefined || !path.includes('matchLabels') || !isIstios || isByReference(object))
    return [];
  const what = `${title(object)}: ${path.join('.')} selects pods of a Gateway of the Gateway API, for which Istio ignores selectors`;
  return [{ where, what, received, fix: 'name the Gateway in spec.targetRefs' }];
}

/** Two objects of a kind about the same pods, or about all of a namespace. */
function rivals(objects: readonly RenderedObject[], pods: Finder): readonly Problem[] {
  const first = new Map<unknown, RenderedObject>();
  return objects.flatMap((rendered): readonly Problem[] => {
    const { object, where } = rendered;
    const { namespace = '' } = object.metadata;
    const selector = selectorOf(object);
    // Said by reference: about what is named, not about pods.
    if (isByReference(object)) return [];
    const isWide = Object.keys(selector).length === 0;
    // By its pods within a namespace: what is in the root namespace is not as narrow as what is beside the pods.
    const claims = isWide ? [namespace] : pods(namespace, selector).map((found) => podsIn(namespace, found));
    const earlier = claims.map((claim) => first.get(claim)).find((one) => one !== undefined);
    for (const claim of claims) if (!first.has(claim)) first.set(claim, rendered);
    if (earlier === undefined) return [];
    const what =
      `${title(object)} applies to ${isWide ? 'all pods of its namespace' : 'pods'} that ` +
      `${title(earlier.object)} of ${earlier.where} also applies to, and Istio uses only one of them`;
    return [{ where, what, fix: 'keep one of them' }];
  });
}

/** Some pods, as an object of a namespace means them. */
function podsIn(namespace: string, { of: { object } }: Pods): string {
  return `${namespace} ${title(object)}`;
}
