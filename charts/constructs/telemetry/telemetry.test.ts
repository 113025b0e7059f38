import { describe, expect, test } from '@jest/globals';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { lab } from '../../platforms.ts';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, clusters, objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { HttpEdge } from '../edge/http-edge.ts';
import { Mesh } from '../mesh.ts';
import { accessLogs } from './access-log.ts';
import { proxyConfig, proxyConfigChecksum } from './proxy-config.ts';
import type { Tracing, WorkloadTracing } from '../scope/tracing.ts';

const collector = { host: 'otel-collector.observability.svc.cluster.local' };

/** Orders, of which a tenth begins a trace, call the catalog and the inventory, in a mesh with the given tracing. */
function shopOf(root: string, tracing: Tracing | undefined, ofOrders?: WorkloadTracing) {
  const mesh = new Mesh('demo', {
    root,
    trustDomain: 'demo.example',
    clusters,
    platform: lab,
    ...(tracing === undefined ? {} : { tracing }),
  });
  const namespace = mesh.namespace('shop');
  const catalog = catalogIn(namespace);
  const inventory = new GrpcService(namespace, 'inventory', {
    app: 'apps/inventory',
    service: InventoryService,
  });
  const orders = new GrpcService(namespace, 'orders', {
    app: 'apps/orders',
    service: OrdersService,
    placement: ['east'],
    ...(ofOrders === undefined ? {} : { tracing: ofOrders }),
  });
  orders.calls(inventory.method.reserve, catalog.method.getProduct, inventory.method.getStock);
  new HttpEdge(namespace, 'edge', { expose: [catalog] });
  return mesh;
}

describe('access logs', () => {
  const format = JSON.parse(accessLogs.accessLogFormat) as Readonly<Record<string, string>>;

  test('tell what a gRPC call was, how it ended, who made it and who answered', () => {
    expect(format).toMatchObject({
      path: '%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%',
      grpc_status: '%GRPC_STATUS(SNAKE_STRING)%',
      response_flags: '%RESPONSE_FLAGS%',
      response_code_details: '%RESPONSE_CODE_DETAILS%',
      trace_id: '%TRACE_ID%',
      upstream_peer_uri_san: '%UPSTREAM_PEER_URI_SAN%',
      downstream_peer_uri_san: '%DOWNSTREAM_PEER_URI_SAN%',
    });
  });

  test('hold no header that carries a credential, and no query', () => {
    expect(Object.values(format).join('\n')).not.toMatch(
      /authorization|cookie|%REQ\((:PATH|X-ENVOY-ORIGINAL)/i,
    );
  });
});

test('statistics are kept for the dashboard and by method; nothing else of the hosts', () => {
  const kept = proxyConfig.proxyStatsMatcher.inclusionRegexps.map((regexp) => new RegExp(`^(?:${regexp})$`));
  const keeps = (name: string) => kept.some((regexp) => regexp.test(name));
  const host = 'cluster.outbound|50051||catalog.shop.svc.cluster.local;';
  expect(keeps(`${host}.grpc.test.catalog.v1.CatalogService.GetProduct.14`)).toBe(true);
  expect(
    keeps('cluster.inbound|50051||;.grpc.test.catalog.v1.CatalogService.GetProduct.upstream_rq_time'),
  ).toBe(true);
  expect(keeps(`${host}.outlier_detection.ejections_active`)).toBe(true);
  expect(keeps(`${host}.upstream_rq_pending_overflow`)).toBe(true);
  expect(keeps(`${host}.upstream_rq_200`)).toBe(false);
  expect(keeps(`${host}.upstream_cx_length_ms`)).toBe(false);
  expect(keeps('http.outbound_0.0.0.0_50051;.downstream_rq_total')).toBe(false);
});

test('calls are counted for the methods a workload serves and those it may call, and no others', () => {
  withProject({}, (root) => {
    const rendered = synthesize(shopOf(root, undefined));
    const filters = objectsOf(rendered, 'east', 'shop').filter(
      ({ kind, metadata }) => kind === 'EnvoyFilter' && !metadata.name.includes('.'),
    );
    expect(filters.map(({ metadata }) => metadata.name)).toEqual(['catalog', 'edge', 'inventory', 'orders']);
    const patch = (context: string, services: readonly object[]) =>
      expect.objectContaining({
        match: expect.objectContaining({ context }),
        patch: expect.objectContaining({
          operation: 'MERGE',
          value: {
            typed_config: expect.objectContaining({ individual_method_stats_allowlist: { services } }),
          },
        }),
      });
    expect(objectOf(rendered, 'west', 'EnvoyFilter', 'orders')).toMatchObject({
      spec: {
        workloadSelector: { labels: { 'app.kubernetes.io/name': 'orders' } },
        configPatches: [
          patch('SIDECAR_INBOUND', [
            {
              name: 'test.orders.v1.OrdersService',
              method_names: ['CreateOrder', 'GetOrder', 'ListOrders', 'WatchQuote'],
            },
          ]),
          patch('SIDECAR_OUTBOUND', [
            { name: 'test.catalog.v1.CatalogService', method_names: ['GetProduct'] },
            { name: 'test.inventory.v1.InventoryService', method_names: ['GetStock', 'Reserve'] },
          ]),
        ],
      },
    });
    expect(objectOf(rendered, 'west', 'EnvoyFilter', 'inventory')).toMatchObject({
      spec: { configPatches: [{ match: { context: 'SIDECAR_INBOUND' } }] },
    });
    expectGolden(import.meta.url, 'method-stats', filters.slice(-1));
  });
});

test('every pod is made anew when what its proxy starts with changes', () => {
  withProject({}, (root) => {
    const deployments = objectsOf(synthesize(shopOf(root, undefined)), 'east').filter(
      ({ kind }) => kind === 'Deployment',
    );
    expect(deployments).toHaveLength(6);
    for (const deployment of deployments) {
      expect(deployment).toMatchObject({
        spec: { template: { metadata: { annotations: proxyConfigChecksum } } },
      });
    }
  });
});

describe('traces', () => {
  test('go to the collector from every proxy, as many as the mesh says, and without queries', () => {
    withProject({}, (root) => {
      const rendered = synthesize(shopOf(root, { collector, samplingPercent: 5 }, { samplingPercent: 10 }));
      const operator = objectOf(rendered, 'west', 'IstioOperator', 'istio');
      const host = `istio-system/${collector.host}`;
      expect(operator).toMatchObject({
        spec: {
          meshConfig: {
            extensionProviders: [{ name: 'otel-collector', opentelemetry: { service: host, port: 4317 } }],
          },
        },
      });
      const mesh = objectsOf(rendered, 'west', 'istio-system').filter(({ kind }) =>
        ['ServiceEntry', 'Telemetry'].includes(kind),
      );
      expect(mesh).toMatchObject([
        {
          spec: {
            hosts: [collector.host],
            ports: [{ number: 4317, protocol: 'GRPC' }],
            location: 'MESH_EXTERNAL',
          },
        },
        {
          spec: {
            accessLogging: [{ providers: [{ name: 'envoy' }] }],
            tracing: [
              {
                randomSamplingPercentage: 5,
                customTags: { 'http.url': { formatter: { value: expect.stringContaining('%PATH(NQ)%') } } },
              },
            ],
          },
        },
      ]);
      // Also of a workload that calls nobody.
      expect(objectOf(rendered, 'east', 'Sidecar', 'inventory')).toMatchObject({
        spec: { egress: [{ hosts: [host] }] },
      });
      expect(objectOf(rendered, 'east', 'Sidecar', 'orders')).toMatchObject({
        spec: {
          egress: [
            {
              hosts: [host, 'shop/catalog.shop.svc.cluster.local', 'shop/inventory.shop.svc.cluster.local'],
            },
          ],
        },
      });
      const orders = objectOf(rendered, 'west', 'Telemetry', 'orders');
      expect(orders).toMatchObject({
        spec: {
          selector: { matchLabels: { 'app.kubernetes.io/name': 'orders' } },
          tracing: [{ randomSamplingPercentage: 10 }],
        },
      });
      expectGolden(import.meta.url, 'tracing', [...mesh, orders!]);
    });
  });

  test('begin for one request in a hundred unless told otherwise', () => {
    withProject({}, (root) => {
      const telemetry = objectOf(synthesize(shopOf(root, { collector })), 'east', 'Telemetry', 'telemetry');
      expect(telemetry).toMatchObject({ spec: { tracing: [{ randomSamplingPercentage: 1 }] } });
    });
  });

  test('are not made without a collector', () => {
    withProject({}, (root) => {
      const rendered = synthesize(shopOf(root, undefined));
      expect(objectsOf(rendered, 'east').filter(({ kind }) => kind === 'ServiceEntry')).toEqual([]);
      const yaml = rendered.map((stage) => stage.yaml).join('\n');
      expect(yaml).not.toMatch(/extensionProviders|^ *tracing:/m);
      expect(problemsOf(shopOf(root, undefined, { samplingPercent: 10 }))).toEqual([
        'demo/shop/orders: tracing: the mesh has no tracing; fix: give the mesh a collector: tracing: { collector }',
      ]);
    });
  });

  test('that cannot arrive are refused, all mistakes together', () => {
    withProject({}, (root) => {
      const wrong = { collector: { host: 'otel-collector', port: 0 }, samplingPercent: 101 };
      expect(problemsOf(shopOf(root, wrong, { samplingPercent: -1 }))).toEqual([
        'demo: tracing.collector.host: is not a fully qualified DNS name; received "otel-collector"; ' +
          'allowed a name such as otel-collector.observability.svc.cluster.local',
        'demo: tracing.collector.port: is not a port; received 0; allowed a whole number from 1 to 65535',
        'demo: tracing.samplingPercent: is not a percentage; received 101; allowed a number from 0 to 100',
        'demo/shop/orders: tracing.samplingPercent: is not a percentage; received -1; allowed a number from 0 to 100',
      ]);
      expect(
        problemsOf(shopOf(root, { collector: { host: 'otel-collector.shop.svc.cluster.local' } })),
      ).toEqual([
        'demo: tracing.collector.host: is in namespace shop of the mesh, where pods accept only declared callers, over mutual TLS; ' +
          'received "otel-collector.shop.svc.cluster.local"; ' +
          'fix: run the collector in a namespace that is not declared in the mesh',
      ]);
      const nothing = problemsOf(shopOf(root, {} as Tracing, { samplingPercent: '5' as unknown as number }));
      expect(nothing).toEqual([
        'demo: tracing.collector.host: is not a fully qualified DNS name; received nothing; ' +
          'allowed a name such as otel-collector.observability.svc.cluster.local',
        'demo/shop/orders: tracing.samplingPercent: is not a percentage; received "5"; allowed a number from 0 to 100',
      ]);
    });
  });
});
