import { own } from '../../core/own.ts';
import type { KubernetesObject } from './mesh-model.ts';

/**
 * What may differ between the clusters of a mesh in one object, and why. Istio merges what primaries say of a service,
 * or takes one cluster's word for it: a difference nobody declared is a fault that shows only in some calls.
 */
export interface Differs {
  /** Why, for who reads the declaration. */
  readonly because: string;
  /** Clusters the object stands in. @default - every one */
  readonly clusters?: readonly string[];
  /**
   * Fields that may differ, each as the keys that lead to it; an element of a list is called by its `name`, or else by
   * its index, and `*` is any key. @default - none
   */
  readonly paths?: readonly (readonly string[])[];
}

/** What a patch of the declaration undoes of what an object was made with. */
export interface Undone {
  /** The rule that it is against: also the end of the annotation with the reason. */
  readonly rule: string;
  /** Where the patch is declared: `demo/shop/cart: pod.patches[0]`. */
  readonly where: string;
  readonly what: string;
  readonly received?: unknown;
  readonly allowed?: string;
  readonly fix: string;
  /** Why it may. @default - it may not */
  readonly reason?: string;
}

/** A rendered object of one cluster, and where it comes from. */
export interface RenderedObject {
  readonly cluster: string;
  /** Path of the construct that added it. */
  readonly where: string;
  readonly object: KubernetesObject;
  readonly differs: Differs | undefined;
  /** Whether it may be of a kind that no schema is at hand for. */
  readonly custom: boolean;
  /** Added by a construct that is none of the library's. @default - by one of those */
  readonly own?: true;
  /** What patches of the declaration undo. @default - nothing */
  readonly undone?: readonly Undone[];
}

/** What is in a cluster and belongs to others, as far as the mesh has to do with it. */
export interface OthersInCluster {
  /** Ports by host name: those of Services that workloads of the mesh call. */
  readonly hosts: ReadonlyMap<string, readonly number[]>;
  /** `namespace/name` of service accounts that call workloads of the mesh. */
  readonly accounts: readonly string[];
  /** Namespaces of both. */
  readonly namespaces: readonly string[];
}

const nobody: OthersInCluster = { hosts: new Map(), accounts: [], namespaces: [] };

/** The Istio of others that a mesh runs on, and what of theirs it must leave alone. */
export interface OthersIstio {
  /** Labels of every pod of the mesh, which those of others do not have. */
  readonly labels: Readonly<Record<string, string>>;
  /** Namespaces that exist already and have workloads of others. */
  readonly shared: readonly string[];
  /** Namespaces of Istio itself and of its gateways. */
  readonly closed: readonly string[];
  /** The gateways that edges join. */
  readonly ingress?: { readonly namespace: string; readonly selector: Readonly<Record<string, string>> };
}

/** Whether a selector is that of gateways of others which edges join. */
export function isJoined(
  istio: OthersIstio | undefined,
  selector: Readonly<Record<string, string>>,
): istio is OthersIstio & Required<Pick<OthersIstio, 'ingress'>> {
  const joined = Object.entries(istio?.ingress?.selector ?? {});
  return (
    joined.length > 0 &&
    joined.length === Object.keys(selector).length &&
    joined.every(([key, value]) => selector[key] === value)
  );
}

/** All that a cluster gets, by kind. */
export interface RenderedCluster {
  readonly name: string;
  readonly network: string;
  readonly others: OthersInCluster;
  readonly objects: readonly RenderedObject[];
  readonly byKind: ReadonlyMap<string, readonly RenderedObject[]>;
}

/** What the gates look at. */
export interface RenderedMesh {
  /** Absent: the mesh has an Istio of its own. */
  readonly istio?: OthersIstio;
  readonly clusters: readonly RenderedCluster[];
}

const apps = 'apps';
const networking = 'networking.istio.io';
const security = 'security.istio.io';

/** API groups of the kinds that gates look at: other groups have kinds of the same names, such as the Gateway API's Gateway. */
const groups: Readonly<Record<string, string>> = {
  ConfigMap: '',
  Namespace: '',
  Pod: '',
  Secret: '',
  Service: '',
  ServiceAccount: '',
  DaemonSet: apps,
  Deployment: apps,
  ReplicaSet: apps,
  StatefulSet: apps,
  CronJob: 'batch',
  Job: 'batch',
  PodDisruptionBudget: 'policy',
  NetworkPolicy: 'networking.k8s.io',
  DestinationRule: networking,
  EnvoyFilter: networking,
  Gateway: networking,
  ProxyConfig: networking,
  ServiceEntry: networking,
  Sidecar: networking,
  VirtualService: networking,
  AuthorizationPolicy: security,
  PeerAuthentication: security,
  RequestAuthentication: security,
  Telemetry: 'telemetry.istio.io',
  WasmPlugin: 'extensions.istio.io',
};

/** The group of an object's API; empty for Kubernetes' core. */
export function groupOf({ apiVersion }: KubernetesObject): string {
  const [group = '', version] = apiVersion.split('/');
  return version === undefined ? '' : group;
}

/** Puts a cluster's objects together by kind, each of the group that the kind is known of. */
export function renderedCluster(
  { name, network }: { readonly name: string; readonly network: string },
  objects: readonly RenderedObject[],
  others = nobody,
): RenderedCluster {
  const byKind = new Map<string, RenderedObject[]>();
  for (const rendered of objects) {
    const { kind } = rendered.object;
    const group = own(groups, kind);
    if (group === undefined || group === groupOf(rendered.object)) push(byKind, kind, rendered);
  }
  return { name, network, others, objects, byKind };
}

/** A cluster's objects of the given kinds. */
export function ofKind(cluster: RenderedCluster, ...kinds: readonly string[]): readonly RenderedObject[] {
  return kinds.flatMap((kind) => cluster.byKind.get(kind) ?? []);
}

/** How messages call an object: `Service shop/catalog`. */
export function title({ kind, metadata }: KubernetesObject): string {
  const { namespace, name } = metadata;
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** Adds to the list under a key. */
export function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** A field of plain data, however deep; `undefined` where there is none. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = own(found as Readonly<Record<string, unknown>>, key);
  }
  return found;
}

/** A field that is a list; none where there is no list. */
export function list(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = field(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The texts of a field that is a list. */
export function texts(value: unknown, ...path: readonly string[]): readonly string[] {
  return list(value, ...path).filter((entry) => typeof entry === 'string');
}

/** A field that is a text. */
export function text(value: unknown, ...path: readonly string[]): string | undefined {
  const found = field(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** A field that is a mapping to texts, such as labels. */
export function mapping(value: unknown, ...path: readonly string[]): Readonly<Record<string, string>> {
  const found = field(value, ...path);
  if (typeof found !== 'object' || found === null) return {};
  return Object.fromEntries(
    Object.entries(found).flatMap(([key, entry]): [string, string][] =>
      typeof entry === 'string' ? [[key, entry]] : [],
    ),
  );
}
