import { k8s } from 'cdk8s-plus-28';
import type { GatewayModel } from '../model.ts';
import { principalOf } from './access.ts';
import { addGatewayWorkload } from './gateway-workload.ts';
import { MeshConstruct } from './mesh-construct.ts';
import type { Mesh } from './mesh.ts';
import { ingressGateway } from './names.ts';
import type { Projection } from './projection.ts';

/**
 * The way into a cluster from outside the mesh. Open is only what an Istio Gateway asks for; here that is plain HTTP
 * on port 80, which the pod serves on an unprivileged port. istiod hands TLS certificates only to a gateway whose
 * service account may read Secrets of its own namespace, hence the Role.
 */
export class IngressGateway<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly model: GatewayModel = { namespace: ingressGateway.namespace, name: ingressGateway.name, port: 80 };

  /** The pods' own port behind the Service's. */
  readonly targetPort = 8080;

  constructor(scope: Mesh<C>, id: string) {
    super(scope, id);
    this.mesh = scope;
  }

  /** Identity of the gateways, as Istio writes principals. */
  get principal(): string {
    return principalOf(this.mesh.trustDomain, ingressGateway.namespace, ingressGateway.name);
  }

  override project(into: Projection): void {
    const { namespace, name, selector } = ingressGateway;
    addGatewayWorkload(into, {
      namespace,
      name,
      selector,
      ports: [{ name: 'http', port: this.model.port, targetPort: this.targetPort, appProtocol: 'http' }],
      platform: this.mesh.platform,
    });
    const metadata = { name, namespace };
    into.add('20-gateways', k8s.KubeRole, metadata, {
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }],
    });
    into.add('20-gateways', k8s.KubeRoleBinding, metadata, {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    });
  }
}
