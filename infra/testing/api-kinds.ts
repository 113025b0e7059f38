/** Kinds by API version, and whether their objects lie in namespaces. */
export type Kinds = Readonly<Record<string, readonly [kind: string, namespaced: boolean][]>>;
/** What a stand-in API server serves. */
export const kinds: Kinds = {
  v1: [
    ['Namespace', false],
    ['Node', false],
    ['Pod', true],
    ['Service', true],
    ['Secret', true],
    ['ConfigMap', true],
    ['ServiceAccount', true],
    ['Event', true],
    ['Endpoints', true],
  ],
  'apps/v1': [
    ['Deployment', true],
    ['DaemonSet', true],
    ['ReplicaSet', true],
  ],
  'admissionregistration.k8s.io/v1': [
    ['ValidatingWebhookConfiguration', false],
    ['MutatingWebhookConfiguration', false],
  ],
  'discovery.k8s.io/v1': [['EndpointSlice', true]],
  'apiextensions.k8s.io/v1': [['CustomResourceDefinition', false]],
  'rbac.authorization.k8s.io/v1': [
    ['ClusterRole', false],
    ['ClusterRoleBinding', false],
    ['Role', true],
    ['RoleBinding', true],
  ],
  'batch/v1': [
    ['Job', true],
    ['CronJob', true],
  ],
  'autoscaling/v2': [['HorizontalPodAutoscaler', true]],
  'networking.istio.io/v1': [
    ['Gateway', true],
    ['DestinationRule', true],
    ['Sidecar', true],
    ['VirtualService', true],
  ],
  'networking.istio.io/v1alpha3': [['EnvoyFilter', true]],
  'security.istio.io/v1': [
    ['AuthorizationPolicy', true],
    ['PeerAuthentication', true],
    ['RequestAuthentication', true],
  ],
  'telemetry.istio.io/v1': [['Telemetry', true]],
};

/** What the discovery of a path says: resources of an API version; undefined for another path. */
export function discovery(kinds: Kinds, path: string): readonly unknown[] | undefined {
  const version = Object.keys(kinds).find((apiVersion) => prefix(apiVersion) === path);
  if (version === undefined) return undefined;
  return (kinds[version] ?? []).map(([kind, namespaced]) => ({
    name: plural(kind),
    kind,
    namespaced,
    verbs: ['get', 'list', 'patch', 'create', 'delete'],
  }));
}

/** The API groups, as `/apis` lists them. */
export function groups(kinds: Kinds): readonly unknown[] {
  return Object.keys(kinds)
    .filter((version) => version.includes('/'))
    .map((groupVersion) => ({ preferredVersion: { groupVersion }, versions: [{ groupVersion }] }));
}

/** Where the objects of an API version are served. */
export function prefix(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The name of a resource in a path. */
export function plural(kind: string): string {
  return kind.endsWith('s') ? kind.toLowerCase() : `${kind.toLowerCase()}s`;
}
