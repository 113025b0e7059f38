import type { GatewayModel, JoinedGateway } from '../../model/mesh-model.ts';
import { principalOf } from '../access/authorization.ts';
import { edgesOf } from '../edge/http-edge.ts';
import type { GatewayPort } from '../scope/gateway-address.ts';
import { given, MeshConstruct } from '../scope/mesh-construct.ts';
import type { Ingress, Mesh } from '../scope/mesh-construct.ts';
import type { ExistingIngress } from '../scope/platform.ts';

/**
 * Ingress gateways of others, which edges join by a Gateway and a VirtualService of their own. Nothing of the mesh stands beside
 * them or is for their pods alone.
 */
export class JoinedIngress<C extends string> extends MeshConstruct<C> implements Ingress<C> {
  readonly mesh: Mesh<C>;
  readonly http: GatewayPort = { name: 'http', port: 80, targetPort: 80, appProtocol: 'http' };
  readonly https: GatewayPort = { name: 'https', port: 443, targetPort: 443, appProtocol: 'https' };
  readonly isJoined = true;
  /** As plain data; what plain JavaScript left out is a problem of the platform. */
  readonly joined: JoinedGateway;

  constructor(scope: Mesh<C>, id: string, ingress: Partial<ExistingIngress> | null) {
    super(scope, id);
    this.mesh = scope;
    const { namespace = '', serviceAccount = '', selector = {}, service = '' } = given(ingress ?? {});
    this.joined = { namespace, serviceAccount, selector, service };
  }

  get namespace(): string {
    return this.joined.namespace;
  }

  get selector(): Readonly<Record<string, string>> {
    return this.joined.selector;
  }

  get isThere(): boolean {
    return edgesOf(this.mesh).length > 0;
  }

  get principal(): string {
    return principalOf(this.mesh.trustDomain, this.joined.namespace, this.joined.serviceAccount);
  }

  get model(): GatewayModel {
    const { namespace, service } = this.joined;
    return { namespace, name: service, port: this.http.port, given: {} };
  }

  portsOf({ port }: GatewayPort): readonly number[] {
    return [port];
  }

  /** It is read and never written. */
  override project(): void {
    return;
  }
}
