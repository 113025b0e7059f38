/** Namespace of istiod, the CNI agent and mesh-wide policy: Istio's root namespace. */
export const controlPlaneNamespace = 'istio-system';

/** The ConfigMap beside istiod with the roots that proxies trust: made when the mesh is applied. */
export const trustAnchorsName = 'meshwright-trust';

/** The account that the control planes of a mesh's other clusters act as in a cluster, in {@link controlPlaneNamespace}. */
export const remoteReader = 'istio-remote-reader';

/** What the gateway for traffic from outside the mesh is called. */
export interface IngressNames {
  readonly namespace: string;
  readonly name: string;
  /** Value of the `istio` label that Istio Gateways select it by. */
  readonly selector: string;
}

/** What the mesh's own ingress gateway is called on an Istio of others: unlike any gateway of theirs. */
export function ownIngress(mesh: string): IngressNames {
  const name = `${mesh}${ingressSuffix}`;
  return { namespace: name, name, selector: name };
}

const ingressSuffix = '-ingress';

/** The longest name of a mesh whose ingress gateway is called after it. */
export const longestMeshName = 63 - ingressSuffix.length;

/** The gateway for traffic from outside the mesh. */
export const ingressGateway: IngressNames = {
  namespace: 'istio-ingress',
  name: 'istio-ingressgateway',
  selector: 'ingressgateway',
};

/** The gateway for traffic from the mesh's other clusters. */
export const eastWestGateway = {
  namespace: 'istio-eastwest',
  name: 'istio-eastwestgateway',
  selector: 'eastwestgateway',
} as const;

/** Namespaces a mesh makes by itself, or that belong to Kubernetes. */
export const reservedNamespaces: readonly string[] = [
  controlPlaneNamespace,
  ingressGateway.namespace,
  eastWestGateway.namespace,
  'kube-system',
  'kube-public',
  'kube-node-lease',
];

/** Label of a workload's version, which Istio's subsets and metrics go by. */
export const versionLabel = 'version';

/** Istio's label for the network something is in, on namespaces, gateways and their Services. */
export const networkLabel = 'topology.istio.io/network';
