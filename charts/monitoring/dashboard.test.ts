import { expect, test } from '@jest/globals';
import { expectFile } from '../testing/golden.ts';
import { parseMetrics, relabel } from '../testing/relabel.ts';
import { dashboard, metricsOf } from './dashboard.ts';
import { metricRules, podMonitor, prometheusConfig } from './scrape.ts';

const documents = new URL('../../docs/telemetry/', import.meta.url);

test('the dashboard is the one in docs, with one id a panel, and variables for cluster, service and method', () => {
  const made = dashboard();
  expectFile(new URL('dashboard.json', documents), `${JSON.stringify(made, null, 2)}\n`);
  const ids = made.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(made.templating.list).toMatchObject(
    ['datasource', 'cluster', 'service', 'method'].map((name) => ({ name })),
  );
});

test('every query is by cluster, and asks for a metric', () => {
  const queries = dashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(queries.length).toBeGreaterThan(0);
  for (const query of queries) {
    expect(query).toMatch(/\b(envoy|istio)_\w+\{cluster=~"\$cluster"/);
    for (const [open, close] of ['()', '{}', '[]']) {
      expect(query.split(open!).length).toBe(query.split(close!).length);
    }
  }
  expect(metricsOf(dashboard())).toContain('envoy_cluster_grpc_total');
});

test('the scrape configurations are the ones in docs', () => {
  expectFile(new URL('prometheus.yml', documents), prometheusConfig());
  expectFile(new URL('pod-monitor.yml', documents), podMonitor());
});

test('rules make labels of the service, method and status that Envoy writes into names', () => {
  const text = `
# TYPE envoy_cluster_grpc_total counter
envoy_cluster_grpc_shop_catalog_v1_CatalogService_GetProduct_total{cluster_name="outbound|1||a"} 5
envoy_cluster_grpc_shop_catalog_v1_CatalogService_GetProduct_14{} 2
envoy_cluster_grpc_shop_catalog_v1_CatalogService_GetProduct_upstream_rq_time_bucket{le="0.5"} 1
envoy_cluster_grpc_shop_catalog_v1_CatalogService_GetProduct_request_message_count{} 7
envoy_cluster_grpc_7{} 1
envoy_cluster_grpc_total{} 1
envoy_cluster_upstream_rq_timeout{} 0
`;
  const get = { grpc_service: 'shop_catalog_v1_CatalogService', grpc_method: 'GetProduct' };
  expect(parseMetrics(text).map(([labels, value]) => [relabel(labels, metricRules), value])).toEqual([
    [{ __name__: 'envoy_cluster_grpc_total', cluster_name: 'outbound|1||a', ...get }, 5],
    [{ __name__: 'envoy_cluster_grpc_status', grpc_status: '14', ...get }, 2],
    [{ __name__: 'envoy_cluster_grpc_upstream_rq_time_bucket', le: '0.5', ...get }, 1],
    [{ __name__: 'envoy_cluster_grpc_request_message_count', ...get }, 7],
    [{ __name__: 'envoy_cluster_grpc_status', grpc_status: '7' }, 1],
    [{ __name__: 'envoy_cluster_grpc_total' }, 1],
    [{ __name__: 'envoy_cluster_upstream_rq_timeout' }, 0],
  ]);
});
