/** A Grafana dashboard (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/). */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly object[] };
  readonly [field: string]: unknown;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
  readonly [field: string]: unknown;
}

interface Graph {
  readonly title: string;
  readonly description: string;
  /** Queries, each with the legend of its lines. */
  readonly queries: readonly (readonly [legend: string, expr: string])[];
  readonly unit: 'reqps' | 'percentunit' | 'ms' | 's' | 'Bps' | 'short';
}

const where = 'cluster=~"$cluster"';
/** As seen by the callers' proxies, so that failures to reach a service count too. */
const outbound = `${where},cluster_name=~"outbound.+"`;
const calls = `${outbound},grpc_service=~"$service",grpc_method=~"$method"`;
const method = 'grpc_service, grpc_method';
const per = (labels: string, expr: string) => `sum by (${labels}) (${expr})`;
const rate = (metric: string, labels: string) => `rate(${metric}{${labels}}[$__rate_interval])`;
const latency = (quantile: number): Graph => ({
  title: `Latency, p${quantile * 100}`,
  description: 'Time from sending a call to the end of its answer, as callers see it.',
  queries: [
    [
      '{{grpc_service}}/{{grpc_method}}',
      `histogram_quantile(${quantile}, ${per(`le, ${method}`, rate('envoy_cluster_grpc_upstream_rq_time_bucket', calls))})`,
    ],
  ],
  unit: 'ms',
});
const made = per('cluster, grpc_service', rate('envoy_cluster_grpc_total', calls));
const served = per(
  'cluster, grpc_service',
  rate('envoy_cluster_grpc_total', calls.replace('outbound', 'inbound')),
);
const eastWest = `${where},workload="istio-eastwestgateway",cluster_name=~"outbound.+"`;

const rows: readonly (readonly [title: string, graphs: readonly Graph[]])[] = [
  [
    'Methods',
    [
      {
        title: 'Calls',
        description: 'Calls a second, as callers see them.',
        queries: [['{{grpc_service}}/{{grpc_method}}', per(method, rate('envoy_cluster_grpc_total', calls))]],
        unit: 'reqps',
      },
      {
        title: 'Share of failed calls, by gRPC status',
        description: 'Status codes as in the gRPC specification: 14 is UNAVAILABLE.',
        queries: [
          [
            '{{grpc_service}}/{{grpc_method}}: {{grpc_status}}',
            per(`${method}, grpc_status`, rate('envoy_cluster_grpc_status', `${calls},grpc_status!="0"`)) +
              ` / on (${method}) group_left () ${per(method, rate('envoy_cluster_grpc_total', calls))}`,
          ],
        ],
        unit: 'percentunit',
      },
      latency(0.5),
      latency(0.95),
      latency(0.99),
      {
        title: 'Share of calls served by other clusters, net',
        description:
          'Calls made in a cluster, less those served there. Calls that two clusters send each other cancel out.',
        queries: [
          ['{{cluster}}: {{grpc_service}}', `clamp_min(1 - (${served} or 0 * ${made}) / ${made}, 0)`],
        ],
        unit: 'percentunit',
      },
    ],
  ],
  [
    'Failover and limits',
    [
      {
        title: 'Endpoints taken out of use',
        description: 'By outlier detection, now. With none left in its own cluster, a caller fails over.',
        queries: [
          [
            '{{cluster}} {{workload}} -> {{cluster_name}}',
            per(
              'cluster, workload, cluster_name',
              `envoy_cluster_outlier_detection_ejections_active{${outbound}}`,
            ),
          ],
        ],
        unit: 'short',
      },
      {
        title: 'Ejections',
        description: 'Endpoints that outlier detection took out, a second.',
        queries: [
          [
            '{{cluster}} {{workload}} -> {{cluster_name}}',
            per(
              'cluster, workload, cluster_name',
              rate('envoy_cluster_outlier_detection_ejections_enforced_total', outbound),
            ),
          ],
        ],
        unit: 'short',
      },
      {
        title: 'Share of healthy endpoints',
        description: 'Of all that a caller knows, in every cluster.',
        queries: [
          [
            '{{cluster}} {{workload}} -> {{cluster_name}}',
            `${per('cluster, workload, cluster_name', `envoy_cluster_membership_healthy{${outbound}}`)} / ` +
              per('cluster, workload, cluster_name', `envoy_cluster_membership_total{${outbound}}`),
          ],
        ],
        unit: 'percentunit',
      },
      {
        title: 'Refused by circuit breakers',
        description: 'Calls, retries and connections over a limit, a second.',
        queries: [
          [
            'calls: {{workload}} -> {{cluster_name}}',
            per('workload, cluster_name', rate('envoy_cluster_upstream_rq_pending_overflow', outbound)),
          ],
          [
            'retries: {{workload}} -> {{cluster_name}}',
            per('workload, cluster_name', rate('envoy_cluster_upstream_rq_retry_overflow', outbound)),
          ],
          [
            'connections: {{workload}} -> {{cluster_name}}',
            per('workload, cluster_name', rate('envoy_cluster_upstream_cx_overflow', outbound)),
          ],
        ],
        unit: 'short',
      },
      {
        title: 'Retries and timeouts',
        description: 'Of calls, a second; connections that could not be made.',
        queries: [
          [
            'retries: {{workload}} -> {{cluster_name}}',
            per('workload, cluster_name', rate('envoy_cluster_upstream_rq_retry', outbound)),
          ],
          [
            'timeouts: {{workload}} -> {{cluster_name}}',
            per('workload, cluster_name', rate('envoy_cluster_upstream_rq_timeout', outbound)),
          ],
          [
            'not connected: {{workload}} -> {{cluster_name}}',
            per('workload, cluster_name', rate('envoy_cluster_upstream_cx_connect_fail', outbound)),
          ],
        ],
        unit: 'short',
      },
    ],
  ],
  [
    'Between clusters',
    [
      {
        title: 'East-west gateways: bytes',
        description: 'Received from, and sent to, the workloads behind the gateway of each cluster.',
        queries: [
          [
            '{{cluster}} received: {{cluster_name}}',
            per('cluster, cluster_name', rate('envoy_cluster_upstream_cx_rx_bytes_total', eastWest)),
          ],
          [
            '{{cluster}} sent: {{cluster_name}}',
            per('cluster, cluster_name', rate('envoy_cluster_upstream_cx_tx_bytes_total', eastWest)),
          ],
        ],
        unit: 'Bps',
      },
      {
        title: 'East-west gateways: connections',
        description: 'Open now, to the workloads behind the gateway of each cluster.',
        queries: [
          [
            '{{cluster}}: {{cluster_name}}',
            per('cluster, cluster_name', `envoy_cluster_upstream_cx_active{${eastWest}}`),
          ],
        ],
        unit: 'short',
      },
      {
        title: 'Time until certificates expire',
        description:
          'The proxies renew them by themselves, halfway: a line that does not jump up is an alarm.',
        queries: [
          [
            '{{cluster}} {{workload}}',
            `min by (cluster, workload) (istio_agent_cert_expiry_seconds{${where},resource_name="default"})`,
          ],
        ],
        unit: 's',
      },
    ],
  ],
];

const datasource = { type: 'prometheus', uid: '${datasource}' };
const columns = 2;
const [width, height] = [24 / columns, 8];

/** The dashboard for gRPC across clusters, based on the metrics that docs/telemetry/prometheus.yml scrapes. */
export function dashboard(): Dashboard {
  const panels: Panel[] = [];
  let y = 0;
  for (const [title, graphs] of rows) {
    panels.push({ id: panels.length + 1, type: 'row', title, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    graphs.forEach((graph, index) => {
      const place = { x: (index % columns) * width, y: y + Math.floor(index / columns) * height };
      panels.push(graphPanel(panels.length + 1, graph, { ...place, w: width, h: height }));
    });
    y += Math.ceil(graphs.length / columns) * height;
  }
  return {
    uid: 'meshwright-grpc',
    title: 'gRPC across clusters',
    tags: ['istio', 'grpc'],
    schemaVersion: 39,
    editable: false,
    graphTooltip: 1,
    time: { from: 'now-1h', to: 'now' },
    refresh: '30s',
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        variable('cluster', 'Cluster', 'label_values(istio_agent_cert_expiry_seconds, cluster)'),
        variable('service', 'Service', 'label_values(envoy_cluster_grpc_total, grpc_service)'),
        variable(
          'method',
          'Method',
          'label_values(envoy_cluster_grpc_total{grpc_service=~"$service"}, grpc_method)',
        ),
      ],
    },
    panels,
  };
}

function graphPanel(id: number, { title, description, queries, unit }: Graph, gridPos: object): Panel {
  return {
    id,
    type: 'timeseries',
    title,
    description,
    datasource,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: queries.map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat,
    })),
  };
}

function variable(name: string, label: string, query: string): object {
  return {
    name,
    label,
    type: 'query',
    datasource,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    includeAll: true,
    multi: true,
    // Also matches series without this label.
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

/** Names of the metrics in a dashboard's queries. */
export function metricsOf({ panels }: Dashboard): readonly string[] {
  const text = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
  return [...new Set(text.match(/\b(?:envoy|istio)_\w+(?=\{)/g))].sort();
}
