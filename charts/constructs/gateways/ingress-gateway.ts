import { k8s } from 'cdk8s-plus-28';
import { gatewayTimes } from '../../../apps/config/gateway-times.ts';
import type { Problem } from '../../../core/problem.ts';
import { labelsOf } from '../../model/labels.ts';
import type { GatewayModel } from '../../model/mesh-model.ts';
import { principalOf } from '../access/authorization.ts';
import { gatewayFilter } from '../edge/edge-limits.ts';
import { edgesOf } from '../edge/http-edge.ts';
import { addGatewayWorkload } from './gateway-workload.ts';
import { edgeProxy } from './edge-proxy.ts';
import { addressOf, givenAddresses } from './address.ts';
import type { GatewayPort } from '../scope/gateway-address.ts';
import { MeshConstruct } from '../scope/mesh-construct.ts';
import type { Ingress, Mesh } from '../scope/mesh-construct.ts';
import type { IngressNames } from '../scope/names.ts';
import { isExisting } from '../scope/platform.ts';
import type { Projection } from '../scope/projection.ts';

/**
 * The way into a cluster from outside the mesh. Open is only what an Istio Gateway asks for: plain HTTP on port 80, and
 * HTTPS on port 443 once an edge has TLS; the pod serves them on unprivileged ports. istiod hands TLS certificates only to a gateway whose
 * service account may read Secrets of its own namespace, hence the Role.
 */
export class IngressGateway<C extends string> extends MeshConstruct<C> implements Ingress<C> {
  readonly mesh: Mesh<C>;
  /** Plain HTTP: the Service's port, and the pods' behind it. */
  readonly http: GatewayPort = { name: 'http', port: 80, targetPort: 8080, appProtocol: 'http' };

  /** HTTP over TLS. */
  readonly https: GatewayPort = { name: 'https', port: 443, targetPort: 8443, appProtocol: 'https' };

  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly isJoined = false;
  readonly #names: IngressNames;
  readonly #isAlways: boolean;

  /**
   * @param isAlways - whether it is there without an edge, too, for Gateways of one's own
   */
  constructor(scope: Mesh<C>, id: string, names: IngressNames, isAlways: boolean) {
    super(scope, id);
    this.mesh = scope;
    this.namespace = names.namespace;
    // A Gateway selects pods of every namespace: on an Istio of others, some of theirs may have the label as well.
    this.selector = { istio: names.selector, ...(isExisting(scope.platform) ? labelsOf(scope.name) : {}) };
    this.#names = names;
    this.#isAlways = isAlways;
  }

  /** Whether there is one. */
  get isThere(): boolean {
    return this.#isAlways || edgesOf(this.mesh).length > 0;
  }

  get model(): GatewayModel {
    const { namespace, name } = this.#names;
    const { port } = this.http;
    return { namespace, name, port, given: givenAddresses(this.mesh, 'ingress', this.http.name) };
  }

  /** Identity of the gateways, as Istio writes principals. */
  get principal(): string {
    const { namespace, name } = this.#names;
    return principalOf(this.mesh.trustDomain, namespace, name);
  }

  /** Ports that clients reach one of the gateways' ports by, in whatever cluster. */
  portsOf({ name, port }: GatewayPort): readonly number[] {
    const { mesh } = this;
    const nodePorts = mesh.clusters.flatMap((cluster) => {
      const address = addressOf(mesh, cluster, 'ingress');
      return address?.type === 'NodePort' ? (address.ports[name] ?? []) : [];
    });
    return [...new Set([port, ...nodePorts])];
  }

  /** Where an edge has TLS, every cluster has a port for it. */
  override problems(): readonly Problem[] {
    const { mesh } = this;
    if (!this.#hasTls) return [];
    return mesh.clusters.flatMap((cluster): Problem[] => {
      const address = addressOf(mesh, cluster, 'ingress');
      const ports =
        address?.type === 'NodePort'
          ? (address.ports as Partial<typeof address.ports> | undefined)
          : undefined;
      if (ports === undefined || ports['https'] !== undefined) return [];
      const own = cluster.gateways?.ingress === undefined ? '' : `clusters.${cluster.name}.`;
      const what = `is missing: an edge has TLS, and cluster ${cluster.name} has no port for HTTPS`;
      return [{ where: `${mesh.name}: ${own}gateways.ingress.ports.https`, what, allowed: '30000 to 32767' }];
    });
  }

  override project(into: Projection): void {
    if (!this.isThere) return;
    const { namespace, name, selector } = this.#names;
    addGatewayWorkload(into, {
      mesh: this.mesh,
      gateway: 'ingress',
      namespace,
      name,
      selector,
      ports: this.#hasTls ? [this.http, this.https] : [this.http],
      keepsClientAddress: true,
    });
    const metadata = { name, namespace };
    const atEdge = { ...metadata, name: 'edge-proxy' };
    into.addIstio(
      '20-gateways',
      this.where,
      'EnvoyFilter',
      atEdge,
      edgeProxy(this.selector, this.#longestWaitMs),
    );
    if (edgesOf(this.mesh).some(({ rateLimits }) => rateLimits.length > 0)) {
      into.addIstio(
        '40-services',
        this.where,
        'EnvoyFilter',
        { ...metadata, name: 'rate-limits' },
        gatewayFilter(this.selector),
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

  /** The longest that a request may stand still: at one of the edges, and at a Gateway of one's own what an edge has by default. */
  get #longestWaitMs(): number {
    const waits = edgesOf(this.mesh).map((edge) => edge.longestWaitMs);
    return Math.max(gatewayTimes.STREAM_IDLE_MS.usual, ...waits);
  }

  get #hasTls(): boolean {
    return edgesOf(this.mesh).some(({ tls }) => tls !== undefined);
  }
}
