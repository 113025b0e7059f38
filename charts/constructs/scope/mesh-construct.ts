import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { AnyConfig, AppConfig } from '../../../apps/config/app-config.ts';
import type { ProtoComments } from '../../../apps/config/descriptors/descriptor-set.ts';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import { dnsLabelRule, isDnsLabel } from '../../../core/names.ts';
import { ProblemsError } from '../../../core/problem.ts';
import type { Problem } from '../../../core/problem.ts';
import { labelsOf, nameLabel } from '../../model/labels.ts';
import type { GatewayModel, MeshModel } from '../../model/mesh-model.ts';
import type { Cluster } from './cluster.ts';
import type { GatewayPort, Gateways } from './gateway-address.ts';
import { reservedNamespaces } from './names.ts';
import { existingIstio, isExisting, type AnyPlatform } from './platform.ts';
import { levelAnnotation, levelProblems, podSecurityLabels, type LowerPodSecurity } from './pod-security.ts';
import type { Projection } from './projection.ts';
import { injectionLabels, ofRevision, revisionOf } from './revisions.ts';
import type { Tracing } from './tracing.ts';
import type { TrafficDefaults } from './traffic-defaults.ts';

/*
 * The types of a mesh, of its constructs and of its namespaces refer to each other: they stand in one file, as files do not
 * import each other in a circle.
 */

/** A config.yml once it was read, or what is said in code in its place. */
export type LoadedApp = { readonly config: AnyConfig } | { readonly problems: readonly Problem[] };

/**
 * One Istio mesh over one Kubernetes cluster or more, multi-primary on different networks or on one
 * (https://istio.io/latest/docs/setup/install/multicluster/multi-primary_multi-network/): a control plane and an ingress gateway
 * in each, an east-west gateway where there are several networks, mutual TLS everywhere. Namespaces and services are declared in
 * it once and project themselves into the clusters.
 *
 * An interface, because the class behind `new Mesh` (mesh.ts) imports the constructs that every mesh has, and those name
 * their mesh in their types.
 */
export interface Mesh<C extends string = string> extends Construct {
  readonly name: string;
  /** Project root, as a path: app folders are relative to it. */
  readonly root: string;
  /** SPIFFE trust domain that every workload identity of the mesh is in. */
  readonly trustDomain: string;
  /** In the order they were declared. */
  readonly clusters: readonly Cluster<C>[];
  readonly platform: AnyPlatform;
  readonly gateways: Gateways | undefined;
  readonly tracing: Tracing | undefined;
  /** What holds for calls to its services of which nothing nearer says otherwise. */
  readonly traffic: TrafficDefaults | undefined;
  /** What the protos say in comments. */
  readonly comments: ProtoComments;
  readonly ingress: Ingress<C>;
  /** None on an Istio of others. */
  readonly eastWest: MeshGateway<C> | undefined;
  /** Metadata that claims of tokens go on as, at whatever edge. No way into the mesh takes it from a client. */
  readonly claimMetadata: Set<string>;
  /** Declares an application namespace, in every cluster. */
  namespace(name: string, props?: NamespaceProps): Namespace<C>;
  /** What is wrong with the mesh's own properties. */
  problems(): readonly Problem[];
  /** The config.yml of an app folder, read once: sound, or what is wrong with it. */
  app(directory: string): LoadedApp;
  /**
   * The config.yml of an app that is built from its folder.
   * @throws ProblemsError with everything wrong in it
   */
  appConfig(directory: string): AppConfig;
  /**
   * Full reference of a container's image: `hub/name:tag@digest`, as images.lock.json pins it, for an app that is built, else
   * what it is given.
   * @throws ProblemsError when the lock does not have it
   */
  image(config: AnyConfig): string;
  /**
   * The mesh as plain data.
   * @throws ProblemsError when an app's config.yml is wrong
   */
  model(): MeshModel;
}

/**
 * Something declared once for the whole mesh, which projects itself into each cluster.
 * Constructors take note of a user's mistakes instead of throwing, so that synth reports all of them together.
 */
export abstract class MeshConstruct<C extends string = string> extends Construct {
  /** The mesh this is part of. */
  abstract readonly mesh: Mesh<C>;
  /** Where problems of this construct are: its path as the user declared it. */
  readonly where: string;
  /** Whether the scope already had a construct of this name. */
  readonly isDuplicate: boolean;

  constructor(scope: Construct, name: string) {
    refuseScope(Construct.isConstruct(scope), nameOr(name), scope, 'a construct of the mesh');
    super(scope, freeId(scope, name));
    const above = scope instanceof MeshConstruct && !scope.isDuplicate ? scope.where : scope.node.path;
    this.where = `${above}/${nameOr(name)}`;
    this.isDuplicate = this.node.id !== idOf(name);
  }

  /** What is wrong with the declaration; nothing when it can be projected. */
  problems(): readonly Problem[] {
    return [];
  }

  /** Adds this construct's objects to one cluster. Called only when the whole mesh has no problem. */
  abstract project(into: Projection): void;
}

/** One of the mesh's gateways, which every cluster has. */
export interface MeshGateway<C extends string> extends MeshConstruct<C> {
  /** It as plain data. */
  readonly model: GatewayModel;
}

/** The gateway for traffic from outside the mesh: the class `IngressGateway`, or of others, `JoinedIngress`. */
export interface Ingress<C extends string> extends MeshGateway<C> {
  readonly namespace: string;
  /** Labels that Istio Gateways and policies select its pods by. */
  readonly selector: Readonly<Record<string, string>>;
  /** Whether it belongs to others: then nothing but Gateways and VirtualServices of edges is for it. */
  readonly isJoined: boolean;
  /** Whether there is one: on an Istio of others only with an edge. */
  readonly isThere: boolean;
  /** Plain HTTP: the Service's port, and the pods' behind it. */
  readonly http: GatewayPort;
  /** HTTP over TLS. */
  readonly https: GatewayPort;
  /** Identity of the gateways, as Istio writes principals. */
  readonly principal: string;
  /** Ports that clients reach one of the gateways' ports by, in whatever cluster. */
  portsOf(port: GatewayPort): readonly number[];
}

/** Properties of a {@link Namespace}. */
export interface NamespaceProps {
  /**
   * Whether the namespace exists already and has workloads of others: it is read and never written, and what is declared in it
   * holds for pods of the mesh alone. Only on an Istio of others. @default false
   */
  readonly shared?: boolean;
  /**
   * A lower Pod Security level than `restricted`, for pods that undo what that asks for, each with a reason of its own. It holds for all
   * pods of the namespace: declare one for those alone. @default - `restricted`
   */
  readonly podSecurity?: LowerPodSecurity;
  /** Time-outs, retries and outliers of calls to its services of which a TrafficPolicy says nothing. @default - the mesh's */
  readonly traffic?: TrafficDefaults;
}

const namespaceKeys = keysOf<NamespaceProps>({ shared: true, podSecurity: true, traffic: true });

/**
 * An application namespace, the same in every cluster: a namespace is one identity space across the mesh.
 * Pods get a sidecar, and are held to the `restricted` Pod Security level, unless the namespace is shared with others.
 */
export class Namespace<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly name: string;
  /** Whether it exists already and has workloads of others. */
  readonly shared: boolean;
  /** What holds for calls to its services, beside what the mesh says. */
  readonly traffic: TrafficDefaults | undefined;
  /** Its properties as they were given. */
  readonly #props: unknown;
  readonly #podSecurity: LowerPodSecurity | undefined;

  constructor(scope: Mesh<C>, name: string, props: NamespaceProps = {}) {
    super(scope, name);
    this.mesh = scope;
    this.name = name;
    this.#props = props;
    this.shared = given(props).shared ?? false;
    this.traffic = given(props).traffic;
    this.#podSecurity = given(props).podSecurity;
  }

  /** Labels that select a workload's pods; in a shared namespace none of others that have the same name. */
  podsOf(workload: string): Readonly<Record<string, string>> {
    const ours = this.shared ? labelsOf(this.mesh.name) : {};
    return { ...ours, [nameLabel]: workload };
  }

  override problems(): readonly Problem[] {
    const { where, name: received } = this;
    if (!isDnsLabel(received)) {
      return [{ where, what: 'the name of the namespace is not valid', received, allowed: dnsLabelRule }];
    }
    // https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/: the prefix is Kubernetes' own.
    if (reservedNamespaces.includes(received) || received.startsWith('kube-')) {
      return [
        {
          where,
          what: 'the namespace is reserved, not for applications',
          received,
          fix: 'choose another name',
        },
      ];
    }
    if (this.isDuplicate) {
      return [
        { where, what: 'the namespace is declared twice', received, fix: 'declare it once and share it' },
      ];
    }
    return [
      ...unknownKeys(where, this.#props, namespaceKeys),
      ...this.#sharedProblems(),
      ...levelProblems(where, this.#podSecurity, this.shared),
    ];
  }

  #sharedProblems(): readonly Problem[] {
    const where = `${this.where}: shared`;
    const received: unknown = this.shared;
    if (typeof received !== 'boolean') {
      return [{ where, what: 'is not a boolean', received, allowed: 'true or false' }];
    }
    const { platform } = this.mesh;
    if (!isExisting(platform)) {
      if (!received) return [];
      const what =
        "is only for an Istio of others: with the mesh's own, what holds for the whole mesh holds for their workloads, too";
      return [{ where, what, received, fix: 'leave it out, or declare platform: existing({ ... })' }];
    }
    const { rootNamespace, eastWestNamespace } = existingIstio(platform);
    const { namespace } = this.mesh.ingress;
    if (![rootNamespace, eastWestNamespace, namespace].includes(this.name)) return [];
    const what = 'the namespace is reserved, not for applications';
    return [{ where: this.where, what, received: this.name, fix: 'choose another name' }];
  }

  override project(into: Projection): void {
    if (this.shared) return;
    const { platform } = this.mesh;
    const istio = isExisting(platform) ? existingIstio(platform) : undefined;
    const injection = injectionLabels(istio?.revision ?? revisionOf(into.cluster, this.name));
    const lower = this.#podSecurity;
    const level = istio?.cni === false ? 'privileged' : (lower?.level ?? 'restricted');
    const labels = { ...injection, ...podSecurityLabels(level) };
    const reason = lower === undefined ? {} : { annotations: { [levelAnnotation]: lower.reason } };
    into.add(
      '00-namespaces',
      k8s.KubeNamespace,
      { name: this.name, labels, ...reason, differs: ofRevision },
      {},
    );
  }
}

/**
 * Refuses a scope in which a construct could not even be declared, so that there is nobody to ask for problems later.
 * @throws ProblemsError at once, unless it is a fit one
 */
export function refuseScope(isFit: boolean, where: string, scope: unknown, allowed: string): void {
  if (isFit) return;
  throw new ProblemsError([{ where, what: 'is declared in the wrong scope', received: scope, allowed }]);
}

/** The properties that were given: plain JavaScript may leave all of them out, or say null for one. */
export function given<P extends object>(props: P): P {
  const entries = Object.entries((props as P | null | undefined) ?? {});
  return Object.fromEntries(entries.filter(([, value]) => value !== null)) as P;
}

/** Plain JavaScript may pass anything for a name. */
function nameOr(name: unknown): string {
  return typeof name === 'string' ? name : '(unnamed)';
}

function idOf(name: string): string {
  const id = nameOr(name) === '' ? '(unnamed)' : nameOr(name).replaceAll('/', '--');
  // The library keeps children in a plain object, which has such names without any child.
  return id in Object.prototype ? `${id}#` : id;
}

/** The constructs library throws on a taken or empty id; a duplicate gets an id of its own and is reported later. */
function freeId(scope: Construct, name: string): string {
  const id = idOf(name);
  let free = id;
  for (let copy = 2; scope.node.tryFindChild(free) !== undefined; copy++) free = `${id}#${copy}`;
  return free;
}
