import { HttpEdge } from '../../../charts/constructs/edge/http-edge.ts';
import type { EdgeProtocol } from '../../../charts/constructs/edge/protocols.ts';
import type { Mesh } from '../../../charts/constructs/mesh.ts';
import { ServiceLimits } from '../../../charts/constructs/rate-limits/service-limits.ts';
import { labMesh, shopServices, type Cluster } from '../checkout/lab-mesh.ts';
import { audience, issuer, jwks } from '../calls/edge.ts';

/** Hosts of the three edges; the open one has every other host. */
export const members = 'members.example';
export const secure = 'secure.example';
export const secret = 'secure-example';

/**
 * The shop's services as echo servers, and three edges before them with real gateways.
 * @param lists - how many lists of products a client of the open edge may ask for, at once and then each second
 * @param protocols - of the edges
 */
export function edgeMesh(
  lists = { perSecond: 1, burst: 5 },
  protocols: readonly EdgeProtocol[] = ['rest'],
): Mesh<Cluster> {
  const mesh = labMesh();
  const shop = mesh.namespace('shop');
  const { catalog, inventory, orders } = shopServices(shop);
  catalog.calls(inventory.method.getStock);
  orders.calls(catalog.method.getProduct, inventory.method.getStock, inventory.method.reserve);
  new ServiceLimits(inventory, 'limits', {
    rateLimits: [{ method: inventory.method.getStock, perSecond: 1, burst: 5, by: 'client' }],
  });

  const web = mesh.namespace('web');
  new HttpEdge(web, 'open', {
    protocols,
    expose: [catalog.method.getProduct, catalog.method.listProducts],
    rateLimits: [{ method: catalog.method.listProducts, ...lists, by: 'client' }],
    cors: { origins: ['https://shop.example'], exposeHeaders: ['x-served-by'] },
  });
  new HttpEdge(web, 'members', {
    hosts: [members],
    protocols,
    expose: [catalog, orders],
    jwt: {
      issuer,
      audiences: [audience],
      jwks,
      claims: { sub: 'x-user' },
      except: [catalog.method.listProducts],
      rules: [{ method: orders.method.createOrder, claim: 'role', values: ['buyer'] }],
    },
    rateLimits: [{ method: orders.method.listOrders, perSecond: 1, burst: 5, by: 'client' }],
    cors: { origins: ['https://shop.example'] },
    placement: ['east'],
  });
  new HttpEdge(web, 'secure', {
    hosts: [secure],
    protocols,
    expose: [catalog.method.getProduct],
    tls: { secret },
    placement: ['west'],
  });
  return mesh;
}
