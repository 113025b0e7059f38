import type { KubernetesObject } from '../../model/mesh-model.ts';
import { field, list, mapping, text } from '../../model/rendered.ts';
import { containersOf, podOf } from './containers.ts';
import { losesData } from './kept-data.ts';
import { changedIn } from './leaves.ts';
import { isConfined, missingFor, otherSource } from './restricted.ts';
import type { Violation } from './rule.ts';

/** What the mesh gives the pods of its workloads beside what rules ask of every object. */
export interface Guarantee {
  /** Also the end of the annotation that gives the reason for an exception. */
  readonly name: string;
  /** What is undone of it in an object, by what it was before. */
  readonly undone: (before: KubernetesObject, after: KubernetesObject) => readonly Violation[];
}

export const guarantees: readonly Guarantee[] = [
  { name: 'pod-security', undone: lessRestricted },
  { name: 'read-only-root', undone: writableRoot },
  { name: 'own-identity', undone: otherIdentity },
  { name: 'own-proxy', undone: touchesProxy },
  { name: 'own-gateway', undone: otherGateway },
  { name: 'no-lost-calls', undone: losesCalls },
  { name: 'keeps-data', undone: losesData },
];

const leave = 'leave it as it is';

/** What the Pod Security level `restricted` asks of pods to say, whatever level their namespace has. */
function lessRestricted(_: KubernetesObject, after: KubernetesObject): readonly Violation[] {
  const pod = podOf(after);
  const others = list(pod, 'spec', 'volumes').map(otherSource);
  return [
    ...(isConfined(pod)
      ? []
      : [{ what: 'the containers that Istio adds have no profile that confines them', fix: leave }]),
    ...missingFor(pod).flatMap(({ where, missing }) =>
      missing.map((allowed) => ({
        what: `${where}.securityContext lacks what the level restricted asks for: ${allowed}`,
        fix: leave,
      })),
    ),
    ...others
      .filter((source) => source !== undefined)
      .map((received) => ({
        what: 'a volume is of a kind that the level restricted refuses',
        received,
        fix: 'use a claim',
      })),
  ];
}

function writableRoot(_: KubernetesObject, after: KubernetesObject): readonly Violation[] {
  return containersOf(podOf(after)).flatMap(([where, container]) => {
    const received = field(container, 'securityContext', 'readOnlyRootFilesystem');
    if (received === true) return [];
    const what = `${where} can write its root file system`;
    return [{ what, received, fix: 'mount an emptyDir where it has to write' }];
  });
}

/** Who the pods are, to Kubernetes, to Istio and to the mesh. */
function otherIdentity(before: KubernetesObject, after: KubernetesObject): readonly Violation[] {
  const [was, is] = [podOf(before), podOf(after)];
  const changed = (['serviceAccountName', 'serviceAccount'] as const).flatMap((key): Violation[] => {
    const received = field(is, 'spec', key);
    if (received === field(was, 'spec', key)) return [];
    return [{ what: `${key} is that of another identity, whose rights the pods get`, received, fix: leave }];
  });
  const mounted = field(is, 'spec', 'automountServiceAccountToken');
  const tokens = JSON.stringify(tokensOf(was));
  const more = tokensOf(is).filter((token) => !tokens.includes(JSON.stringify(token)));
  const selector = field(after, 'spec', 'selector');
  return [
    ...changed,
    ...(mounted === false
      ? []
      : [
          {
            what: 'automountServiceAccountToken gives every container a token for the Kubernetes API',
            received: mounted,
            fix: 'use kubernetesApi, for the service’s own container',
          },
        ]),
    ...tokenMounts(is)
      .filter((mount) => !tokenMounts(was).includes(mount))
      .map((received) => ({
        what: 'a container mounts the token of the service account that another one has',
        received,
        fix: 'use kubernetesApi, for the service’s own container',
      })),
    ...more.map((received) => ({
      what: 'a volume gives the pods another token of their service account',
      received,
      fix: 'use kubernetesApi, or a projected volume with a token',
    })),
    ...(JSON.stringify(selector) === JSON.stringify(field(before, 'spec', 'selector'))
      ? []
      : [
          {
            what: 'spec.selector is not that by which the mesh knows its pods',
            received: selector,
            fix: leave,
          },
        ]),
    ...labelsChanged(mapping(was, 'metadata', 'labels'), mapping(is, 'metadata', 'labels')),
  ];
}

/** Which containers mount volumes with tokens: `containers[cart] mounts kubernetes-api`. */
function tokenMounts(pod: unknown): readonly string[] {
  const names = list(pod, 'spec', 'volumes').flatMap((volume) => {
    const holds = list(volume, 'projected', 'sources').some(
      (source) => field(source, 'serviceAccountToken') !== undefined,
    );
    return holds ? [text(volume, 'name') ?? ''] : [];
  });
  return containersOf(pod).flatMap(([where, container]) =>
    list(container, 'volumeMounts')
      .map((mount) => text(mount, 'name') ?? '')
      .filter((name) => names.includes(name))
      .map((name) => `${where} mounts ${name}`),
  );
}

/** The tokens that volumes of a pod have. */
function tokensOf(pod: unknown): readonly unknown[] {
  return list(pod, 'spec', 'volumes').flatMap((volume) =>
    list(volume, 'projected', 'sources').flatMap((source) => {
      const token = field(source, 'serviceAccountToken');
      return token === undefined ? [] : [token];
    }),
  );
}

type Texts = Readonly<Record<string, string>>;

/** Names that Istio reads, those among them that had no domain yet. */
const isIstios = (name: string) =>
  /^(?:.*\.)?istio\.io\//.test(name) || ['istio', 'istio-locality'].includes(name);

function labelsChanged(was: Texts, is: Texts): readonly Violation[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return (
    names
      .filter((name) => was[name] !== is[name])
      .filter((name) => Object.hasOwn(was, name) || isIstios(name))
      // Pods without a proxy are against a rule of every object.
      .filter((name) => !(name === 'sidecar.istio.io/inject' && is[name] === 'false'))
      .map((name) => ({
        what: `the label ${name}, by which policies and Services know the pods, is changed`,
        received: is[name],
        fix: leave,
      }))
  );
}

/** Annotations of Istio that size the proxy or set what it logs. */
const harmless =
  /^sidecar\.istio\.io\/(?:proxyCPU|proxyCPULimit|proxyMemory|proxyMemoryLimit|logLevel|componentLogLevel|agentLogLevel)$/;
/** Volumes that Istio's injection adds to pods: its keys and tokens. */
const ofProxy = /^(?:istio.*|workload-socket|credential-socket|workload-certs)$/;

/** What changes the proxy beside the containers, or opens it to them. */
function touchesProxy(before: KubernetesObject, after: KubernetesObject): readonly Violation[] {
  const [was, is] = [podOf(before), podOf(after)];
  const [old, now] = [mapping(was, 'metadata', 'annotations'), mapping(is, 'metadata', 'annotations')];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const shared = field(is, 'spec', 'shareProcessNamespace');
  return [
    ...names
      .filter((name) => old[name] !== now[name])
      .filter((name) => Object.hasOwn(old, name) || (isIstios(name) && !harmless.test(name)))
      .map((name) => ({
        what: `the annotation ${name}, by which the proxy is made or asked for metrics, is changed`,
        received: now[name],
        fix: leave,
      })),
    ...(shared === true
      ? [
          {
            what: 'shareProcessNamespace lets containers read the memory of the proxy, with its key',
            received: shared,
            fix: 'remove it',
          },
        ]
      : []),
    ...list(is, 'spec', 'volumes')
      .map((volume) => text(volume, 'name') ?? '')
      .filter((name) => ofProxy.test(name))
      .map((received) => ({
        what: 'a volume has the name of one that the proxy has',
        received,
        fix: 'choose another name',
      })),
    ...containersOf(is).flatMap(([where, container]) =>
      ['volumeMounts', 'volumeDevices'].flatMap((key) =>
        list(container, key)
          .map((mount) => text(mount, 'name') ?? '')
          .filter((name) => ofProxy.test(name))
          .map((received) => ({
            what: `${where} mounts a volume of the proxy`,
            received,
            fix: 'remove it',
          })),
      ),
    ),
  ];
}

/** The HTTP gateway refuses metadata that carry claims of tokens: what it is told, and reads of its volumes, is the mesh's to say. */
function otherGateway(before: KubernetesObject, after: KubernetesObject): readonly Violation[] {
  const isGateway = (container: unknown) =>
    list(container, 'env').some((variable) => text(variable, 'name') === 'UPSTREAMS');
  const [was, is] = [podOf(before), podOf(after)];
  const now = new Map(containersOf(is));
  return containersOf(was)
    .filter(([, container]) => isGateway(container))
    .flatMap(([where, container]): Violation[] => {
      const mounted = list(container, 'volumeMounts').map((mount) => text(mount, 'name') ?? '');
      return [
        ...changedIn(container, now.get(where)).map(({ path, received }) => ({
          what: `${where}, which is the HTTP gateway, is changed: ${path}`,
          received,
          fix: leave,
        })),
        ...mounted.flatMap((name) =>
          changedIn(volumeOf(was, name), volumeOf(is, name)).map(({ path, received }) => ({
            what: `volumes[${name}], which the HTTP gateway reads, is changed: ${path}`,
            received,
            fix: leave,
          })),
        ),
      ];
    });
}

function volumeOf(pod: unknown, name: string): unknown {
  return list(pod, 'spec', 'volumes').find((volume) => text(volume, 'name') === name);
}

/** What makes a roll-out, or the end of a pod, lose calls. */
function losesCalls(before: KubernetesObject, after: KubernetesObject): readonly Violation[] {
  const strategy = field(after, 'spec', 'strategy');
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const [was, is] = [podOf(before), podOf(after)];
  const grace = field(is, 'spec', 'terminationGracePeriodSeconds');
  const least = field(was, 'spec', 'terminationGracePeriodSeconds');
  const now = new Map(containersOf(is));
  return [
    ...(same(strategy, field(before, 'spec', 'strategy'))
      ? []
      : [{ what: 'spec.strategy ends pods before new ones are ready', received: strategy, fix: leave }]),
    ...(typeof least === 'number' && !(typeof grace === 'number' && grace >= least)
      ? [
          {
            what: 'terminationGracePeriodSeconds ends pods before their calls',
            received: grace,
            fix: 'use shutdown.graceSeconds',
          },
        ]
      : []),
    ...containersOf(was).flatMap(([where, container]): Violation[] => {
      const next = now.get(where);
      return (
        [
          ['lifecycle.preStop', 'it keeps callers from a container that ends'],
          ['readinessProbe', 'callers know by it that the container takes calls'],
        ] as const
      ).flatMap(([path, says]): Violation[] => {
        const had = field(container, ...path.split('.'));
        const has = field(next, ...path.split('.'));
        if (had === undefined) return [];
        return changedIn(had, has, path).map((changed) => ({
          what: `${where}.${changed.path} is changed: ${says}`,
          received: changed.received,
          fix: leave,
        }));
      });
    }),
  ];
}
