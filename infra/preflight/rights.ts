import { remoteReader } from '../../charts/constructs/scope/names.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { remoteSecretName } from '../plan/plan.ts';
import { cacertsKey } from '../trust/objects.ts';

/** The commands that ask the clusters for anything; `export` and `synth` ask none. */
export type Command = 'up' | 'status' | 'down';

/** Where a right holds: in the whole cluster, in each namespace of the mesh, in that of the control planes, or in `default`. */
export type Place = 'cluster' | 'mesh' | 'control-plane' | 'default';

/** What a command has to be allowed. */
export interface Right {
  /** With its group, such as `deployments.apps`, `pods/exec` or `deployments/scale.apps`. */
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly place: Place;
  /** @default - objects of any name */
  readonly names?: readonly string[];
}

/** What the rights depend on, in one cluster. */
export interface RightsFor {
  /**
   * What is applied there: of the plan, and of the Istio releases once they are rendered. Rights outside of namespaces are by
   * the names of these.
   */
  readonly objects: readonly KubeObject[];
  /** All clusters of the mesh. */
  readonly clusters: readonly string[];
  /** Whether a namespace of the mesh does not exist yet: whoever makes it may also delete it. */
  readonly makesNamespaces: boolean;
  /** Whether the mesh runs on an Istio of others, of which it changes nothing and reads no Secret. @default false */
  readonly onExisting?: boolean;
  /** Namespaces of others in which the mesh has objects. @default - none */
  readonly sharedNamespaces?: readonly string[];
  /** Whether edges join gateways of others, at which others have hosts and policies. @default false */
  readonly joinsGateways?: boolean;
  /** The CSI driver that gives istiod its CA. @default - it is in a Secret */
  readonly caDriver?: string;
}

/** Where the pod of `up` runs that calls a service from outside the mesh: Kubernetes' own namespace for what belongs nowhere. */
export const outsiderNamespace = 'default';

/** Kinds of an Istio release outside of namespaces. */
const ofCluster = [
  'clusterrolebindings.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
];

/** Kinds of an Istio release in namespaces. */
const ofNamespaces = [
  'configmaps',
  'daemonsets.apps',
  'deployments.apps',
  'horizontalpodautoscalers.autoscaling',
  'poddisruptionbudgets.policy',
  'rolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'serviceaccounts',
  'services',
];

const secrets = 'secrets';
const namespaces = 'namespaces';
const definitions = 'customresourcedefinitions.apiextensions.k8s.io';

/** The least rights for a command. `up` includes those of `down`: nobody should bring up what they cannot take down. */
export function rightsOf(command: Command, scope: RightsFor): readonly Right[] {
  const rights = {
    up: () => [...ofUp(scope), ...ofDown(scope)],
    status: () => ofStatus(scope),
    down: () => ofDown(scope),
  };
  // The namespace of the control plane is one of the mesh's only where the mesh has one.
  return merged(rights[command](), scope.onExisting !== true);
}

/** The verbs that RBAC asks of whoever grants more than they have: `grants.ts` knows when. */
export const grantingVerbs: readonly string[] = ['escalate', 'bind'];

function ofUp(scope: RightsFor): readonly Right[] {
  const { objects, makesNamespaces } = scope;
  const cluster = (resource: string, ...verbs: readonly string[]) => right('cluster', resource, verbs);
  const mesh = (resource: string, ...verbs: readonly string[]) => right('mesh', resource, verbs);
  return [
    ...onNamespaces(scope, [...(makesNamespaces ? ['create'] : []), 'patch']),
    ...applied(scope, ['get', 'list', 'create', 'patch', 'delete'], ['get', 'list', 'create', 'patch']),
    ...['clusterroles', 'roles'].flatMap((role) => {
      const resource = `${role}.rbac.authorization.k8s.io`;
      const names = namesOf(objects, resource);
      const place = role === 'roles' ? 'mesh' : 'cluster';
      return names.length === 0 ? [] : [{ ...right(place, resource, grantingVerbs), names }];
    }),
    // What others have that would be in the way: another Istio, silent webhooks, pods that would lose their control plane.
    ...['configmaps', 'daemonsets.apps', 'deployments.apps', 'endpointslices.discovery.k8s.io', 'pods'].map(
      (resource) => cluster(resource, 'list'),
    ),
    cluster('nodes', 'list'),
    // How they get ready, and why not.
    mesh('events', 'list'),
    mesh('pods/log', 'get'),
    mesh('replicasets.apps', 'list'),
    // The proofs: probes, a callee scaled to none and back, what proxies and istiod say.
    mesh('deployments/scale.apps', 'patch'),
    mesh('pods', 'get', 'list', 'create', 'delete'),
    mesh('pods/exec', 'create', 'get'),
    ...(scope.onExisting === true ? ofOthers : ofOwnIstio),
    ...(scope.joinsGateways === true ? atGateways : []),
    ...(scope.caDriver === undefined
      ? []
      : [{ ...right('cluster', 'csidrivers.storage.k8s.io', ['get']), names: [scope.caDriver] }]),
    // The name of the pod has a random part, so that no two meshes take each other's.
    right('default', 'pods', ['create', 'get', 'delete']),
    right('default', 'pods/log', ['get']),
  ];
}

/** The CA, the access of control planes to other clusters, and whether it is valid. */
const ofOwnIstio: readonly Right[] = [
  right('cluster', 'tokenreviews.authentication.k8s.io', ['create']),
  right('control-plane', secrets, ['get', 'list', 'create', 'patch', 'delete']),
  { ...right('control-plane', 'serviceaccounts/token', ['create']), names: [remoteReader] },
];

/**
 * What is compared of an Istio of others: its injectors, istiod and its configuration, its gateways, and policies that reach our pods.
 * What istiod knows of other clusters, and whether gateways are reached, takes `pods/exec` in its pods: without, a warning says so.
 */
const ofOthers: readonly Right[] = [
  ...[
    'authorizationpolicies.security.istio.io',
    'mutatingwebhookconfigurations.admissionregistration.k8s.io',
    'peerauthentications.security.istio.io',
    'validatingwebhookconfigurations.admissionregistration.k8s.io',
  ].map((resource) => right('cluster', resource, ['list'])),
  right('cluster', 'services', ['get', 'list']),
  right('cluster', 'serviceaccounts', ['get']),
  right('control-plane', 'configmaps', ['get']),
  right('control-plane', 'deployments.apps', ['get']),
  right('control-plane', namespaces, ['get']),
];

/** What others serve at gateways that edges join, and what decides there. */
const atGateways: readonly Right[] = [
  'gateways.networking.istio.io',
  'requestauthentications.security.istio.io',
  'virtualservices.networking.istio.io',
].map((resource) => right('cluster', resource, ['list']));

function ofStatus(scope: RightsFor): readonly Right[] {
  const { objects, clusters, onExisting } = scope;
  const names = [cacertsKey('').metadata.name, ...clusters.map(remoteSecretName)];
  const ofControlPlanes =
    onExisting === true
      ? [
          right('cluster', 'mutatingwebhookconfigurations.admissionregistration.k8s.io', ['list']),
          right('cluster', 'services', ['get']),
          ...ofOthers.filter(({ place }) => place === 'control-plane'),
        ]
      : [
          right('cluster', 'subjectaccessreviews.authorization.k8s.io', ['create']),
          right('cluster', 'tokenreviews.authentication.k8s.io', ['create']),
          right('control-plane', 'pods/exec', ['create', 'get']),
          { ...right('control-plane', secrets, ['get']), names },
        ];
  return [
    right('cluster', 'nodes', ['list']),
    right('cluster', 'pods', ['list']),
    ...ofControlPlanes,
    right('mesh', 'deployments.apps', ['get']),
    right('mesh', 'events', ['list']),
    right('mesh', 'pods/log', ['get']),
    right('mesh', 'replicasets.apps', ['list']),
    right('mesh', 'services', ['get']),
    ...(hasSets(scope) ? [right('mesh', 'statefulsets.apps', ['get'])] : []),
    ...ofRuns(objects),
  ];
}

/** How Jobs ended, and the runs of CronJobs. */
function ofRuns(objects: readonly KubeObject[]): readonly Right[] {
  const has = (resource: string) => objects.some((object) => resourceOf(object) === resource);
  const [jobs, cronJobs] = ['jobs.batch', 'cronjobs.batch'];
  return [
    ...(has(jobs) ? [right('mesh', jobs, ['get'])] : []),
    ...(has(cronJobs) ? [right('mesh', cronJobs, ['get']), right('mesh', jobs, ['list'])] : []),
  ];
}

/** Whether pods of the mesh have volumes for themselves. */
function hasSets({ objects }: RightsFor): boolean {
  return objects.some(({ kind }) => kind === 'StatefulSet');
}

function ofDown(scope: RightsFor): readonly Right[] {
  const groups = new Set(
    namesOf(scope.objects, definitions).map((name) => name.split('.').slice(1).join('.')),
  );
  return [
    ...onNamespaces(scope, scope.makesNamespaces ? ['delete'] : []),
    ...applied(scope, ['get', 'list', 'delete'], ['list']),
    // What StatefulSets leave, which is told.
    ...(hasSets(scope) ? [right('mesh', 'persistentvolumeclaims', ['list'])] : []),
    // What others have of a kind that would go with its definition.
    ...[...groups].map((group) => right('cluster', `*.${group}`, ['list'])),
    // istiod leaves its root certificate in every namespace.
    scope.onExisting === true
      ? right('mesh', 'configmaps', ['get', 'list', 'delete'])
      : right('control-plane', secrets, ['get', 'list', 'delete']),
  ];
}

/** To find the namespaces of the mesh, to tell clusters from one another by `kube-system`, and these verbs on those of the mesh. */
function onNamespaces(
  { objects, sharedNamespaces = [] }: RightsFor,
  verbs: readonly string[],
): readonly Right[] {
  const names = namesOf(objects, namespaces);
  return [
    right('cluster', namespaces, ['list']),
    { ...right('cluster', namespaces, ['get', ...verbs]), names },
    { ...right('cluster', namespaces, ['get']), names: ['kube-system', ...sharedNamespaces] },
  ];
}

/** Claims and volumes, which no command deletes: the data would go with them. */
const kept: readonly string[] = ['persistentvolumeclaims', 'persistentvolumes'];

/**
 * Rights on what is applied: by name outside of namespaces, but for `list`, which no name restricts.
 * @param onKept - the verbs on what is never deleted
 */
function applied(
  { objects, onExisting }: RightsFor,
  verbs: readonly string[],
  onKept: readonly string[],
): readonly Right[] {
  const verbsOn = (resource: string) => (kept.includes(resource) ? onKept : verbs);
  const [inside, outside] = [objects.filter(isNamespaced), objects.filter((object) => !isNamespaced(object))];
  const ofRelease = (kinds: readonly string[]) => (onExisting === true ? [] : kinds);
  const namespaced = distinct([...ofRelease(ofNamespaces), ...inside.map(resourceOf)]);
  const others = distinct([...ofRelease(ofCluster), ...outside.map(resourceOf)]).filter(
    (one) => one !== namespaces,
  );
  return [
    ...namespaced.map((resource) => right('mesh', resource, verbsOn(resource))),
    ...others.flatMap((resource) => {
      const names = namesOf(outside, resource);
      const named = {
        ...right(
          'cluster',
          resource,
          verbsOn(resource).filter((verb) => verb !== 'list'),
        ),
        names,
      };
      return [right('cluster', resource, ['list']), ...(names.length === 0 ? [] : [named])];
    }),
  ];
}

function right(place: Place, resource: string, verbs: readonly string[]): Right {
  return { place, resource, verbs };
}

const order = ['get', 'list', 'create', 'patch', 'delete', ...grantingVerbs];

/**
 * Each resource, place and names once, without what a wider right gives already.
 * @param within - whether rights in the mesh's namespaces hold in that of the control planes
 */
function merged(rights: readonly Right[], within: boolean): readonly Right[] {
  const key = ({ place, resource, names }: Right) => JSON.stringify([place, resource, names]);
  const same = [...Map.groupBy(rights, key).values()].flatMap((all): Right[] => {
    const verbs = new Set(all.flatMap((one) => one.verbs));
    return all.slice(0, 1).map((one) => ({ ...one, verbs: order.filter((verb) => verbs.has(verb)) }));
  });
  const has = (place: Place, { resource }: Right, verb: string) =>
    same.some(
      (other) =>
        other.place === place &&
        other.resource === resource &&
        other.names === undefined &&
        other.verbs.includes(verb),
    );
  const isGiven = (one: Right, verb: string) =>
    (one.place !== 'cluster' && has('cluster', one, verb)) ||
    (within && one.place === 'control-plane' && has('mesh', one, verb)) ||
    (one.names !== undefined && has(one.place, one, verb));
  return same
    .map((one) => ({ ...one, verbs: one.verbs.filter((verb) => !isGiven(one, verb)) }))
    .filter(({ verbs }) => verbs.length > 0)
    .sort((a, b) => (a.resource < b.resource ? -1 : a.resource > b.resource ? 1 : 0));
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}

function namesOf(objects: readonly KubeObject[], resource: string): readonly string[] {
  return distinct(
    objects.filter((object) => resourceOf(object) === resource).map(({ metadata }) => metadata.name),
  );
}

function isNamespaced({ metadata }: KubeObject): boolean {
  return metadata.namespace !== undefined;
}

/** The resource of a kind that the API server may not serve yet: `VirtualService` is `virtualservices.networking.istio.io`. */
function resourceOf({ apiVersion, kind }: KubeObject): string {
  const name = kind.toLowerCase();
  const plural = /[^aeiou]y$/.test(name)
    ? `${name.slice(0, -1)}ies`
    : name.endsWith('s')
      ? `${name}es`
      : `${name}s`;
  const [group, version] = apiVersion.split('/');
  return version === undefined ? plural : `${plural}.${group ?? ''}`;
}
