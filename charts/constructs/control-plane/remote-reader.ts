import { k8s } from 'cdk8s-plus-28';
import { MeshConstruct } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import { controlPlaneNamespace, remoteReader } from '../scope/names.ts';
import type { Projection } from '../scope/projection.ts';

/**
 * What the other clusters' istiods may do in a cluster: list what they need for knowing who runs where. It takes the
 * place of Istio's own reader (`values.global.enableReaderRBAC`), which also reads every ConfigMap and Istio resource,
 * may have the cluster judge tokens and permissions, and may write ServiceExports.
 *
 * istiod lists and watches each kind in the whole cluster and takes a remote cluster for synced once it has every
 * list (`pkg/kube/multicluster` and `pilot/pkg/serviceregistry/kube` in Istio's sources), so the rules cannot be
 * narrowed to the mesh's namespaces, nor can one of them be missing. No `get`: it reads single objects of none.
 */
export class RemoteReader<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;

  constructor(scope: Mesh<C>, id: string) {
    super(scope, id);
    this.mesh = scope;
  }

  override project(into: Projection): void {
    // A cluster alone is read by nobody.
    if (this.mesh.clusters.length < 2) return;
    const stage = '10-control-plane';
    const namespace = controlPlaneNamespace;
    const subjects = [{ kind: 'ServiceAccount', name: remoteReader, namespace }];
    const roleRef = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name: remoteReader });
    // Nobody in the cluster itself acts as it: tokens are asked for by name, for another cluster.
    const account = { automountServiceAccountToken: false };
    into.add(stage, k8s.KubeServiceAccount, { name: remoteReader, namespace }, account);
    into.add(stage, k8s.KubeClusterRole, { name: remoteReader }, { rules: clusterRules });
    into.add(
      stage,
      k8s.KubeClusterRoleBinding,
      { name: remoteReader },
      { roleRef: roleRef('ClusterRole'), subjects },
    );
    into.add(stage, k8s.KubeRole, { name: remoteReader, namespace }, { rules: [meshConfigRule] });
    into.add(
      stage,
      k8s.KubeRoleBinding,
      { name: remoteReader, namespace },
      { roleRef: roleRef('Role'), subjects },
    );
  }
}

const verbs = ['list', 'watch'];

const clusterRules = [
  // Nodes hold the region and zone of pods, and the addresses of gateways behind node ports; a namespace its network.
  { apiGroups: [''], resources: ['namespaces', 'nodes', 'pods', 'services'], verbs },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
  // Endpoints of services that are no pods; with them istiod watches which kinds a cluster knows.
  { apiGroups: ['networking.istio.io'], resources: ['workloadentries'], verbs },
  { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs },
  // East-west gateways of the Gateway API, where a cluster has that API.
  { apiGroups: ['gateway.networking.k8s.io'], resources: ['gateways'], verbs },
  // For proxies that have no istiod in their own cluster, of which we have none. But an istiod without it never syncs,
  // and one that is told to do without (PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER) crashes: see docs/adr/0012.
  { apiGroups: [''], resources: ['secrets'], verbs },
];

/**
 * The mesh configuration, of which istiod reads the other cluster's trust domain, has a name of its own in each revision:
 * by name, an upgrade in one cluster would have to be granted in the others first.
 */
const meshConfigRule = { apiGroups: [''], resources: ['configmaps'], verbs };
