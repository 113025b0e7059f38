import { stringify } from 'yaml';

/** A rule that creates labels, as in Prometheus' configuration (relabel_config). The default action is `replace`. */
export interface RelabelRule {
  readonly action?: 'keep';
  readonly source_labels?: readonly string[];
  /** Anchored at both ends. @default '(.*)' */
  readonly regex?: string;
  readonly target_label?: string;
  /** @default '$1' */
  readonly replacement?: string;
}

const annotation = (name: string) => `__meta_kubernetes_pod_annotation_prometheus_io_${name}`;
const address = [annotation('port'), '__meta_kubernetes_pod_ip'];

/** Finds the proxies by the annotations that injection adds to their pods, and labels each with its workload and cluster. */
const targets: readonly RelabelRule[] = [
  { action: 'keep', source_labels: ['__meta_kubernetes_pod_container_name'], regex: 'istio-proxy' },
  { action: 'keep', source_labels: [annotation('scrape')], regex: 'true' },
  { source_labels: [annotation('path')], target_label: '__metrics_path__' },
  { source_labels: address, regex: '([0-9]+);([^:]+)', target_label: '__address__', replacement: '$2:$1' },
  { source_labels: address, regex: '([0-9]+);(.+:.+)', target_label: '__address__', replacement: '[$2]:$1' },
  { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
  { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
  { source_labels: ['__meta_kubernetes_pod_label_app_kubernetes_io_name'], target_label: 'workload' },
  { target_label: 'cluster', replacement: 'CLUSTER' },
];

const name = ['__name__'];
const perMethod = (statistic: string) => `envoy_cluster_grpc_(.+)_([A-Za-z0-9]+)_${statistic}`;
const statistics =
  '(success|failure|total|(?:request|response)_message_count|upstream_rq_time_(?:bucket|sum|count))';

/**
 * Envoy writes the gRPC service, method and status into the names of its metrics. These rules turn them into labels. In a
 * name every character except letters, digits and `_` becomes `_`: a service is written
 * `shop_catalog_v1_CatalogService`, and a method's own name must not contain `_`, as the protobuf style guide requires.
 */
export const metricRules: readonly RelabelRule[] = [
  { source_labels: name, regex: perMethod(statistics), target_label: 'grpc_service' },
  { source_labels: name, regex: perMethod(statistics), target_label: 'grpc_method', replacement: '$2' },
  { source_labels: name, regex: perMethod('([0-9]+)'), target_label: 'grpc_service' },
  { source_labels: name, regex: perMethod('([0-9]+)'), target_label: 'grpc_method', replacement: '$2' },
  { source_labels: name, regex: 'envoy_cluster_grpc_(?:.+_)?([0-9]+)', target_label: 'grpc_status' },
  {
    source_labels: name,
    regex: 'envoy_cluster_grpc_(?:.+_)?[0-9]+',
    target_label: '__name__',
    replacement: 'envoy_cluster_grpc_status',
  },
  {
    source_labels: name,
    regex: perMethod(statistics),
    target_label: '__name__',
    replacement: 'envoy_cluster_grpc_$3',
  },
];

const interval = '15s';
const yaml = { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false };
const head = (use: string) =>
  `# Scrapes every proxy of a mesh, gateways included. ${use}\n` +
  `# Replace CLUSTER by the name of the cluster it is in, as the mesh declares it. Made by charts/monitoring/scrape.ts.\n`;

/** A Prometheus configuration with one job: the proxies of the mesh. */
export function prometheusConfig(): string {
  const job = {
    job_name: 'mesh-proxies',
    scrape_interval: interval,
    kubernetes_sd_configs: [{ role: 'pod' }],
    relabel_configs: targets,
    metric_relabel_configs: metricRules,
  };
  return head('For a Prometheus in each cluster.') + stringify({ scrape_configs: [job] }, yaml);
}

/** The same as a PodMonitor for the Prometheus Operator. */
export function podMonitor(): string {
  const monitor = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name: 'mesh-proxies' },
    spec: {
      namespaceSelector: { any: true },
      selector: {
        matchExpressions: [{ key: 'service.istio.io/canonical-name', operator: 'Exists' }],
      },
      podMetricsEndpoints: [
        {
          interval,
          relabelings: targets.map(inCamelCase),
          metricRelabelings: metricRules.map(inCamelCase),
        },
      ],
    },
  };
  return head('For the Prometheus Operator.') + stringify(monitor, yaml);
}

function inCamelCase({ source_labels, target_label, ...same }: RelabelRule): object {
  return {
    ...(source_labels === undefined ? {} : { sourceLabels: source_labels }),
    ...(target_label === undefined ? {} : { targetLabel: target_label }),
    ...same,
  };
}
