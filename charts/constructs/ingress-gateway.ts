import { k8s } from 'cdk8s-plus-28';
import type { GatewayModel } from '../model.ts';
import { principalOf } from './access.ts';
import { gatewayFilter } from './edge/edge-limits.ts';
import { edgesOf } from './edge/http-edge.ts';
import { addGatewayWorkload, type GatewayPort } from './gateway-workload.ts';
import { MeshConstruct } from './mesh-construct.ts';
import type { Mesh } from './mesh.ts';
import { ingressGateway } from './names.ts';
import type { Projection } from './projection.ts';

/**
 * The way into a cluster from outside the mesh. Open is only what an Istio Gateway asks for: plain HTTP on port 80, and
 * HTTPS on port 443 once an edge has TLS; the pod serves them on unprivileged ports. istiod hands TLS certificates only to a gateway whose
 * service account may read Secrets of its own namespace, hence the Role.
 */
export class IngressGateway<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly model: GatewayModel = { namespace: ingressGateway.namespace, name: ingressGateway.name, port: 80 };

  /** Plain HTTP: the Service's port, and the pods' behind it. */
  readonly http: GatewayPort = { name: 'http', port: 80, targetPort: 8080, appProtocol: 'http' };

  /** HTTP over TLS. */
  readonly https: GatewayPort = { name: 'https', port: 443, targetPort: 8443, appProtocol: 'https' };

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
    const edges = edgesOf(this.mesh);
    addGatewayWorkload(into, {
      namespace,
      name,
      selector,
      ports: edges.some(({ tls }) => tls !== undefined) ? [this.http, this.https] : [this.http],
      keepsClientAddress: true,
      platform: this.mesh.platform,
    });
    const metadata = { name, namespace };
    if (edges.some(({ rateLimits }) => rateLimits.length > 0)) {
      into.addIstio(
        '40-services',
        this.where,
        'EnvoyFilter',
        { ...metadata, name: 'rate-limits' },
        gatewayFilter(),
      );
    }
    into.add('20-gateways', k8s.KubeRole, metadata, {
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }],
    });
    into.add('20-gateways', k8s.KubeRoleBinding, metadata, {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    });
  }
}
