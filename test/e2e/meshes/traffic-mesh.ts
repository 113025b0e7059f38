import { GrpcService, TrafficPolicy, type Mesh } from '../../../charts/index.ts';
import { apps, labMesh, type Cluster } from '../checkout/lab-mesh.ts';

/**
 * A mesh with every traffic rule at once. `orders` calls, from both clusters; the others answer:
 * `rules` by version, of which v2 runs in the west and v3 in the east only; `shared` by shares of the clusters, and with a
 * circuit breaker; `failing` with failover; `far-east` and `far-west` in one cluster, with two pods each.
 */
export function trafficMesh(): Mesh<Cluster> {
  const mesh = labMesh();
  const shop = mesh.namespace('shop');

  const rules = new GrpcService(shop, 'rules', {
    ...apps.inventory,
    versions: { v1: {}, v2: { placement: ['west'] }, v3: { placement: ['east'] } },
  });
  const { getStock, reserve, syncStock } = rules.method;
  new TrafficPolicy(rules, 'traffic', {
    // Of an odd hundredth: Istio is told hundredths.
    weights: { v1: 79.95, v2: 20.05, v3: 0 },
    rules: [
      { method: getStock, timeoutMs: 3000, retries: { attempts: 2 } },
      { method: getStock, metadata: { 'x-mirror': { exact: 'yes' } }, to: 'v1', mirror: { to: 'v2' } },
      { method: reserve, to: 'v3' },
      { metadata: { 'x-version': { exact: 'two' } }, to: 'v2' },
      { metadata: { 'x-version': { prefix: 'three-' } }, to: 'v3' },
      { metadata: { 'x-version': { regex: '[0-9]+' } }, to: 'v2' },
      { metadata: { 'x-fault': { exact: 'abort' } }, fault: { status: 'ABORTED', percent: 30 } },
      { metadata: { 'x-fault': { exact: 'delay' } }, fault: { delayMs: 400, percent: 100 } },
      {
        method: syncStock,
        metadata: { 'x-fault': { exact: 'full' } },
        fault: { status: 'DATA_LOSS', percent: 100 },
      },
    ],
  });

  const shared = new GrpcService(shop, 'shared', apps.inventory);
  new TrafficPolicy(shared, 'traffic', {
    distribution: { east: { east: 70, west: 30 }, west: { east: 60, west: 40 } },
    connections: { maxRequests: 3 },
  });

  const failing = new GrpcService(shop, 'failing', apps.inventory);
  new TrafficPolicy(failing, 'traffic', {
    failover: { east: ['west'], west: ['east'] },
    outliers: { consecutiveErrors: 3, intervalSeconds: 1, ejectionSeconds: 20 },
  });

  const far = (['east', 'west'] as const).map((cluster) => {
    const versions = { v1: { replicas: 2 } };
    const service = new GrpcService(shop, `far-${cluster}`, {
      ...apps.inventory,
      placement: [cluster],
      versions,
    });
    new TrafficPolicy(service, 'traffic', { connections: { maxRequestsPerConnection: 5 } });
    return service;
  });

  const caller = new GrpcService(shop, 'caller', apps.inventory);
  for (const { method } of [rules, shared, failing, ...far]) {
    caller.calls(method.getStock, method.reserve, method.syncStock);
  }
  return mesh;
}
