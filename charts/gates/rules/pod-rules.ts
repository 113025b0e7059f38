import { movingTag } from '../../../core/image-reference.ts';
import { mayBeUnsafe, unsafeVariable } from '../../../core/unsafe-variables.ts';
import { revisionLabel } from '../../model/labels.ts';
import { field, list, mapping, text } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { containersOf, ofEachPod } from './containers.ts';
import type { Violation } from './rule.ts';

const digest = /@sha256:[0-9a-f]{64}$/;
const pin = 'use a digest or a fixed tag';

/** Containers whose image reference may resolve to another image later. */
export function unpinned(object: KubernetesObject): readonly Violation[] {
  return ofEachPod(object, unpinnedIn);
}

function unpinnedIn(template: unknown): readonly Violation[] {
  return containersOf(template).flatMap(([where, container]) => {
    const image = text(container, 'image') ?? '';
    if (digest.test(image) || (image === 'auto' && isInjected(template))) return [];
    // A path follows a port, but not a tag; what follows an @ is a digest, or none.
    const tag = /^[^@]*:([^:/@]+)$/.exec(image)?.[1];
    const says = `${where}.image is ${image === '' ? 'missing' : `"${image}"`}`;
    if (tag === undefined) return [{ what: `${says}: without a tag it means the newest image`, fix: pin }];
    if (!movingTag.test(tag)) return [];
    return [{ what: `${says}: the tag "${tag}" may move to another image`, fix: pin }];
  });
}

/**
 * Containers without resource requests or limits. CPU is requested and not limited: a container may use idle CPU beyond its
 * request, and a limit would throttle it exactly when calls wait for it. Istio's own charts set no limits for its control
 * plane, whose memory grows with the mesh.
 */
export function unlimited(object: KubernetesObject): readonly Violation[] {
  const limited = text(object, 'metadata', 'labels', 'operator.istio.io/component') === undefined;
  const wanted = ['requests.cpu', 'requests.memory', ...(limited ? ['limits.memory'] : [])];
  return ofEachPod(object, (pod) =>
    containersOf(pod).flatMap(([where, container]) => {
      const missing = wanted.filter(
        (path) => field(container, 'resources', ...path.split('.')) === undefined,
      );
      if (missing.length === 0) return [];
      return [{ what: `${where}.resources lacks ${missing.join(', ')}`, fix: 'set what is missing' }];
    }),
  );
}

/** Variables that load code into a program, or weaken its TLS; those that nobody sees here among them. */
export function unsafeEnvironment(object: KubernetesObject): readonly Violation[] {
  return ofEachPod(object, unsafeIn);
}

function unsafeIn(pod: unknown): readonly Violation[] {
  return containersOf(pod).flatMap(([where, container]) => [
    ...list(container, 'env').flatMap((entry) => {
      const received = text(entry, 'name') ?? '';
      const what = unsafeVariable(received);
      return what === undefined ? [] : [{ what: `${where}.env ${what}`, received, fix: 'remove it' }];
    }),
    ...list(container, 'envFrom').flatMap((entry, index) => {
      if (!mayBeUnsafe(text(entry, 'prefix') ?? '')) return [];
      const what =
        `${where}.envFrom[${index}] makes a variable of every key, whatever it is called: ` +
        'one may load code into the program';
      const fix = 'name the variables by env and valueFrom, or give them a prefix, such as CONFIG_';
      return [{ what, received: entry, fix }];
    }),
  ]);
}

/** User of Istio's proxies, whose traffic is not redirected: it is theirs. */
const proxyUser = 1337;
const redirection =
  /^traffic\.sidecar\.istio\.io\/(?:(?:ex|in)clude|kubevirt)|^sidecar\.istio\.io\/(?:interceptionMode|bootstrapOverride|proxyImage|discoveryAddress)$|^proxy\.istio\.io\/overrides$|^istio\.io\/reroute-virtual-interfaces$/;

/**
 * What lets traffic of a pod go past its proxy, and so past mutual TLS and every policy
 * (https://istio.io/latest/docs/reference/config/annotations/).
 */
export function passesProxy(object: KubernetesObject): readonly Violation[] {
  return ofEachPod(object, passesProxyIn);
}

function passesProxyIn(pod: unknown): readonly Violation[] {
  const fix = 'remove it, and declare what may be called with calls, callsExternal or MutualTls';
  const annotations = mapping(pod, 'metadata', 'annotations');
  const noted = Object.entries(annotations)
    .filter(([name, value]) => redirection.test(name) && value !== '*')
    .map(([name, value]) => ({
      what: `the annotation ${name} lets traffic bypass the proxy`,
      received: value,
      fix,
    }));
  const kinds = { annotation: annotations, label: mapping(pod, 'metadata', 'labels') };
  const without = Object.entries(kinds)
    .filter(([, all]) => all['sidecar.istio.io/inject'] === 'false')
    .map(([kind]) => ({
      what: `the ${kind} sidecar.istio.io/inject leaves the pods without a proxy`,
      received: 'false',
      fix,
    }));
  const users = [
    ['securityContext', field(pod, 'spec', 'securityContext')] as const,
    ...containersOf(pod)
      .filter(([, container]) => text(container, 'name') !== 'istio-proxy')
      .map(
        ([where, container]) => [`${where}.securityContext`, field(container, 'securityContext')] as const,
      ),
  ].flatMap(([where, context]) =>
    (['runAsUser', 'runAsGroup'] as const)
      .filter((key) => field(context, key) === proxyUser)
      .map((key) => ({
        what: `${where}.${key} is the user id of the proxy, whose traffic bypasses the proxy`,
        received: proxyUser,
        fix: 'choose another',
      })),
  );
  return [...noted, ...without, ...unredirected(pod, annotations), ...users, ...ownProxies(pod)];
}

/** Proxies that are no release's: a container of the proxy's name takes the place of what Istio's injection would put there. */
function ownProxies(pod: unknown): readonly Violation[] {
  return containersOf(pod).flatMap(([where, container]) => {
    const received = text(container, 'image') ?? 'auto';
    if (text(container, 'name') !== 'istio-proxy' || received === 'auto') return [];
    const what = `${where}.image replaces the mesh's proxy, regardless of the control plane's version`;
    return [{ what, received, fix: 'use auto, or remove the container' }];
  });
}

/** Injection by another template than the sidecar's gives a proxy beside which an app takes calls by itself. */
function unredirected(pod: unknown, annotations: Readonly<Record<string, string>>): readonly Violation[] {
  const received = annotations['inject.istio.io/templates'];
  const isSidecar = received?.split(',').some((name) => name.trim() === 'sidecar') ?? true;
  const apps = list(pod, 'spec', 'containers').filter((one) => text(one, 'name') !== 'istio-proxy');
  if (isSidecar || apps.length === 0) return [];
  const what = 'the annotation inject.istio.io/templates gives the pods a proxy that their traffic bypasses';
  return [{ what, received, fix: 'remove it, or keep a gateway in pods of its own' }];
}

/** Istio's injector replaces the image `auto` with the proxy of its release. */
function isInjected(pod: unknown): boolean {
  return (
    text(pod, 'metadata', 'labels', 'sidecar.istio.io/inject') === 'true' ||
    text(pod, 'metadata', 'labels', revisionLabel) !== undefined
  );
}
