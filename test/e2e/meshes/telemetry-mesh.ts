import { HttpEdge } from '../../../charts/constructs/edge/http-edge.ts';
import { labMesh, shopServices } from '../checkout/lab-mesh.ts';
import { collectorHost } from '../telemetry/collector.ts';

/** The sample shop with traces: all that begin at a proxy, but none of those that begin at the catalog's. */
export function tracedShop() {
  const mesh = labMesh({ tracing: { collector: { host: collectorHost }, samplingPercent: 100 } });
  const namespace = mesh.namespace('shop');
  const { catalog, inventory, orders } = shopServices(namespace, { tracing: { samplingPercent: 0 } });
  orders.calls(catalog.method.getProduct, inventory.method.reserve, inventory.method.getStock);
  catalog.calls(inventory.method.getStock);
  new HttpEdge(namespace, 'edge', { expose: [catalog, inventory, orders] });
  return mesh;
}
