import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { dashboard, metricsOf } from '../../charts/monitoring/dashboard.ts';
import type { Labels } from '../../charts/testing/relabel.ts';
import { waitFor } from '../../core/wait.ts';
import { callMany, callOnce, eventually, status, type Caller } from './calls/call.ts';
import { spansIn, startCollector, stopCollector } from './telemetry/collector.ts';
import { ensureLab, status as meshStatus, type Status } from './checkout/lab.ts';
import { scrape } from './telemetry/scrape.ts';
import { tracedShop } from './meshes/telemetry-mesh.ts';
import { accessLog, logLine, traced } from './telemetry/traces.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;

let seen: Status;

beforeAll(async () => {
  await ensureLab();
  const image = tracedShop()
    .model()
    .images.find(({ app }) => app === 'apps/catalog');
  if (image === undefined) throw new Error('the catalog has no image');
  for (const cluster of clusters) startCollector(cluster, image.reference);
  await applyVariant(tracedShop());
  seen = await meshStatus();
}, 60 * minute);

afterAll(() => {
  for (const cluster of clusters) stopCollector(cluster);
});

const from = (cluster: string, workload: string): Caller => ({
  cluster,
  namespace: 'shop',
  target: `deployment/${workload}`,
  container: workload,
});
const getProduct = '/shop.catalog.v1.CatalogService/GetProduct';
const getStock = '/shop.inventory.v1.InventoryService/GetStock';
const reserve = '/shop.inventory.v1.InventoryService/Reserve';
const inventory = 'inventory.shop.svc.cluster.local:50051';
const catalog = 'catalog.shop.svc.cluster.local:50051';
/** GetProductRequest and GetStockRequest alike: field 1, a string. */
const p1 = Buffer.concat([Buffer.from([10, 3]), Buffer.from('p-1')]);

test.each(clusters)(
  'one order through %s is one trace over both clusters, and its log lines carry the trace and both identities',
  async (cluster) => {
    const { agent, trace, spans } = await traced(
      [
        `${cluster} istio-ingressgateway.istio-ingress`,
        ...[1, 2].map(() => `${cluster} edge.shop`),
        ...[1, 2, 3].map(() => 'east orders.shop'),
        'east catalog.shop',
        'west inventory.shop',
      ],
      async (name) => {
        const response = await fetch(`${seen.clusters[cluster]!.ingress}/v1/orders`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': name },
          body: JSON.stringify({ productId: 'p-1', quantity: 1 }),
        });
        return response.status === 200;
      },
    );
    // A tree: one root, and the parent of every other span is there.
    const ids = new Set(spans.map(({ id }) => id));
    expect(spans.filter(({ parent }) => parent === '')).toHaveLength(1);
    expect(spans.filter(({ parent }) => parent !== '' && !ids.has(parent))).toEqual([]);

    const entry = await logLine(cluster, 'istio-ingress', 'istio-ingressgateway', { user_agent: agent });
    expect(entry).toMatchObject({
      method: 'POST',
      path: '/v1/orders',
      response_code: 200,
      grpc_status: null,
    });

    const client = await logLine('east', 'shop', 'orders', { trace_id: trace, path: reserve });
    expect(client).toMatchObject({
      grpc_status: 'OK',
      method: 'POST',
      response_code: 200,
      response_flags: '-',
      upstream_cluster: expect.stringMatching(/^outbound\|50051\|\|inventory\.shop\.svc\.cluster\.local;?$/),
      upstream_peer_uri_san: 'spiffe://shop.example/ns/shop/sa/inventory',
      request_id: entry['request_id'],
    });
    const server = await logLine('west', 'shop', 'inventory', { trace_id: trace, path: reserve });
    expect(server).toMatchObject({
      grpc_status: 'OK',
      downstream_peer_uri_san: 'spiffe://shop.example/ns/shop/sa/orders',
      request_id: entry['request_id'],
    });
  },
  5 * minute,
);

test(
  'neither a query nor a token gets into access logs or spans',
  async () => {
    const secret = `s3cret-${randomUUID()}`;
    const ingress = seen.clusters['east']!.ingress;
    const { agent, trace, spans } = await traced(
      ['east istio-ingressgateway.istio-ingress', 'east edge.shop'],
      async (name) => {
        const response = await fetch(`${ingress}/v1/products/p-1?api_key=${secret}`, {
          headers: { 'user-agent': name, authorization: `Bearer ${secret}`, cookie: `session=${secret}` },
        });
        return response.status === 400; // The method has no such field.
      },
    );
    const entry = await logLine('east', 'istio-ingress', 'istio-ingressgateway', { user_agent: agent });
    expect(entry).toMatchObject({ path: '/v1/products/p-1', trace_id: trace });
    const atEdge = await logLine('east', 'shop', 'edge', { trace_id: trace });
    expect(atEdge['path']).toBe('/v1/products/p-1');
    expect(
      spans.map(({ attributes }) => attributes['http.url']).filter((url) => url !== undefined),
    ).toContain(`http://${new URL(ingress).host}/v1/products/p-1`);
    expect(JSON.stringify(spans)).not.toContain(secret);
    const logs = [
      accessLog('east', 'istio-ingress', 'istio-ingressgateway'),
      accessLog('east', 'shop', 'edge'),
    ];
    expect(JSON.stringify(logs)).not.toContain(secret);
  },
  5 * minute,
);

test(
  'a refused call is logged with its gRPC status and the reason',
  async () => {
    const id = randomUUID();
    await eventually('orders -> ListProducts', status.permissionDenied, () =>
      callOnce(from('east', 'orders'), {
        address: catalog,
        path: '/shop.catalog.v1.CatalogService/ListProducts',
        metadata: { 'user-agent': id },
      }),
    );
    expect(await logLine('east', 'shop', 'catalog', { user_agent: id })).toMatchObject({
      grpc_status: 'PERMISSION_DENIED',
      response_code_details: expect.stringContaining('rbac_access_denied'),
      downstream_peer_uri_san: 'spiffe://shop.example/ns/shop/sa/orders',
    });
  },
  5 * minute,
);

test(
  '100 and 0 per cent are honoured for traces that begin at a service; one that began elsewhere goes on',
  async () => {
    const agents = { orders: `agent-${randomUUID()}`, catalog: `agent-${randomUUID()}` };
    const call = (
      workload: 'orders' | 'catalog',
      metadata: Readonly<Record<string, string>>,
      count: number,
    ) =>
      callMany(from('east', workload), {
        address: inventory,
        path: getStock,
        message: p1,
        metadata,
        count,
        connections: 4,
        concurrency: 4,
      });
    for (const workload of ['orders', 'catalog'] as const) {
      await eventually(`${workload} -> GetStock`, status.ok, () =>
        callMany(from('east', workload), {
          ...{ address: inventory, path: getStock, message: p1 },
          ...{ count: 8, connections: 8 },
        }),
      );
      const answers = call(workload, { 'user-agent': agents[workload] }, 20);
      expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(status.ok));
    }
    const called = Date.now();
    const of = (agent: string, cluster = 'east') =>
      spansIn(cluster).filter(({ attributes }) => attributes['user_agent'] === agent);
    // A proxy sends spans after 5 s at the latest: when one of a call made later than that is there, all earlier ones are.
    const agent = `agent-${randomUUID()}`;
    // Envoy says in a request id that the trace is sampled, by a 9 where a random UUID has its version, a 4.
    const traced = { 'user-agent': agent, 'x-request-id': randomUUID().replace(/^(.{14})./, '$19') };
    await waitFor(
      { what: 'all spans, and those of a later call', timeoutMs: 2 * minute, intervalMs: 500 },
      () => {
        if (Date.now() - called < 6_000) return { done: false, because: 'too early to tell' };
        if (of(agent).length === 0) call('catalog', traced, 8);
        const later = clusters.map((cluster) => of(agent, cluster).length);
        // The threads of a proxy send theirs apart.
        const spans = clusters.map((cluster) => of(agents.orders, cluster).length);
        return later.every((count) => count > 0) && spans.every((count) => count >= 20)
          ? { done: true, value: undefined }
          : { done: false, because: `${spans.join(' and ')} spans, then ${later.join(' and ')}` };
      },
    );
    expect(of(agents.orders)).toHaveLength(20);
    expect(of(agents.catalog)).toHaveLength(0);
    // Whom they call has 100 per cent, and yet does as they decided.
    expect(of(agents.orders, 'west')).toHaveLength(20);
    expect(of(agents.catalog, 'west')).toHaveLength(0);
  },
  5 * minute,
);

test(
  'calls are counted by method and status for the methods of the proto, and no others',
  async () => {
    const unknown = `Teleport${randomUUID().replaceAll('-', '')}`;
    const count = (samples: readonly (readonly [Labels, number])[], workload: string, labels: Labels) =>
      samples
        .filter(([found]) => found['workload'] === workload)
        .filter(([found]) => Object.entries(labels).every(([name, value]) => found[name] === value))
        .reduce((sum, [, value]) => sum + value, 0);
    const known = { __name__: 'envoy_cluster_grpc_total', grpc_method: 'GetProduct' };
    const ok = { ...known, __name__: 'envoy_cluster_grpc_status', grpc_status: '0' };
    const before = scrape('east');
    callMany(from('east', 'orders'), { address: catalog, path: getProduct, message: p1, count: 10 });
    const path = `/shop.catalog.v1.CatalogService/${unknown}`;
    expect(callOnce(from('east', 'orders'), { address: catalog, path }).status).toBe(status.permissionDenied);
    const after = await waitFor({ what: 'ten more calls', timeoutMs: minute, intervalMs: 1_000 }, () => {
      const samples = scrape('east');
      const grown = [known, ok].flatMap((labels) =>
        ['orders', 'catalog'].map(
          (workload) => count(samples, workload, labels) - count(before, workload, labels),
        ),
      );
      return grown.every((more) => more >= 10)
        ? { done: true, value: samples }
        : { done: false, because: `${grown.join(', ')} more` };
    });
    for (const labels of [known, ok]) {
      for (const workload of ['orders', 'catalog']) {
        expect([workload, count(after, workload, labels) - count(before, workload, labels)]).toEqual([
          workload,
          10,
        ]);
      }
    }
    const service = { grpc_service: 'shop_catalog_v1_CatalogService' };
    expect(count(after, 'orders', { ...ok, ...service })).toBe(count(after, 'orders', ok));
    expect(JSON.stringify(after)).not.toContain(unknown);
    // It counts, without a name of its own.
    const nameless = after.filter(
      ([labels]) =>
        labels['workload'] === 'orders' &&
        labels['__name__'] === 'envoy_cluster_grpc_status' &&
        labels['grpc_method'] === undefined,
    );
    expect(nameless.map(([labels]) => labels['grpc_status'])).toEqual([status.permissionDenied]);
  },
  5 * minute,
);

test(
  'every metric of the dashboard is there, gateways included, and calls between clusters show',
  () => {
    const samples = clusters.flatMap((cluster) => scrape(cluster));
    const names = new Set(samples.map(([labels]) => labels['__name__']));
    expect(metricsOf(dashboard()).filter((metric) => !names.has(metric))).toEqual([]);
    const has = (labels: Labels, direction = '') =>
      samples.some(
        ([found]) =>
          (found['cluster_name'] ?? '').startsWith(direction) &&
          Object.entries(labels).every(([name, value]) => found[name] === value),
      );
    for (const workload of ['istio-eastwestgateway', 'istio-ingressgateway', 'orders', 'edge']) {
      expect([workload, has({ __name__: 'istio_agent_cert_expiry_seconds', workload })]).toEqual([
        workload,
        true,
      ]);
    }
    // A call between clusters counts as made in one and as served in the other.
    const calls = { __name__: 'envoy_cluster_grpc_total', grpc_method: 'Reserve' };
    expect(has({ ...calls, workload: 'orders' }, 'outbound')).toBe(true);
    expect(has({ ...calls, workload: 'inventory' }, 'inbound')).toBe(true);
    expect(
      samples.some(
        ([labels, value]) =>
          labels['workload'] === 'istio-eastwestgateway' &&
          labels['__name__'] === 'envoy_cluster_upstream_cx_rx_bytes_total' &&
          labels['cluster_name']?.includes('inventory') === true &&
          value > 0,
      ),
    ).toBe(true);
  },
  5 * minute,
);

test(
  'the proxies bring what the apps measure, of both containers where a pod has a gateway',
  () => {
    const samples = clusters.flatMap((cluster) => scrape(cluster));
    const of = (workload: string, name: string) =>
      samples.filter(([labels]) => labels['workload'] === workload && labels['__name__'] === name);
    const programs = (workload: string) =>
      [
        ...new Set(of(workload, 'process_uptime_seconds').map(([labels]) => labels['otel_scope_name'])),
      ].sort();
    expect(programs('catalog')).toEqual(['catalog', 'gateway']);
    expect(programs('orders')).toEqual(['orders']);
    expect(programs('edge')).toEqual(['gateway']);
    const calls = of('inventory', 'rpc_server_call_duration_seconds_count').filter(
      ([labels]) =>
        labels['rpc_method'] === 'shop.inventory.v1.InventoryService/GetStock' &&
        labels['rpc_status_code'] === 'OK',
    );
    expect(calls.reduce((sum, [, value]) => sum + value, 0)).toBeGreaterThan(0);
  },
  5 * minute,
);
