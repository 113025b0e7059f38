import type { GatewayModel } from '../../model/mesh-model.ts';
import { addGatewayWorkload } from './gateway-workload.ts';
import { givenAddresses } from './address.ts';
import { passThroughProxy } from './edge-proxy.ts';
import { MeshConstruct } from '../scope/mesh-construct.ts';
import type { Mesh, MeshGateway } from '../scope/mesh-construct.ts';
import { eastWestGateway } from '../scope/names.ts';
import type { Projection } from '../scope/projection.ts';

/** Istio's port for mutual TLS between networks; istiod sends the other clusters' traffic to it. */
const crossNetworkPort = 15443;

/**
 * The way into a cluster for the mesh's clusters on other networks. It passes mutual TLS through by SNI without ending it, so
 * identities hold from end to end, and it needs no certificate of its own. Only that port is open: the control planes
 * are all primaries, and none of them is reached through a gateway.
 */
export class EastWestGateway<C extends string> extends MeshConstruct<C> implements MeshGateway<C> {
  readonly mesh: Mesh<C>;

  constructor(scope: Mesh<C>, id: string) {
    super(scope, id);
    this.mesh = scope;
  }

  get model(): GatewayModel {
    const { namespace, name } = eastWestGateway;
    return { namespace, name, port: crossNetworkPort, given: givenAddresses(this.mesh, 'eastWest', 'tls') };
  }

  override project(into: Projection): void {
    const { namespace, name, selector } = eastWestGateway;
    addGatewayWorkload(into, {
      mesh: this.mesh,
      gateway: 'eastWest',
      namespace,
      name,
      selector,
      ports: [{ name: 'tls', port: crossNetworkPort, targetPort: crossNetworkPort }],
      network: into.cluster.network,
    });
    const metadata = { name: 'pass-through-proxy', namespace };
    into.addIstio('20-gateways', this.where, 'EnvoyFilter', metadata, passThroughProxy());
    // It passes mutual TLS through and cannot look inside: who may call what is for the callee's proxy to decide.
    into.addIstio(
      '20-gateways',
      this.where,
      'AuthorizationPolicy',
      { name: 'cross-network-gateway', namespace },
      {
        selector: { matchLabels: { istio: selector } },
        action: 'ALLOW',
        rules: [{ to: [{ operation: { ports: [String(crossNetworkPort)] } }] }],
      },
    );
    into.addIstio(
      '20-gateways',
      this.where,
      'Gateway',
      { name: 'cross-network-gateway', namespace },
      {
        selector: { istio: selector },
        servers: [
          {
            port: { number: crossNetworkPort, name: 'tls', protocol: 'TLS' },
            tls: { mode: 'AUTO_PASSTHROUGH' },
            hosts: ['*.local'],
          },
        ],
      },
    );
  }
}
