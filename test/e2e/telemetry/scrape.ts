import { metricRules } from '../../../charts/monitoring/scrape.ts';
import { parseMetrics, relabel, type Labels } from '../../../charts/testing/relabel.ts';
import { fetchFromOutside } from './collector.ts';
import { kubectl } from '../checkout/lab.ts';

/** What a Prometheus outside the mesh gets from every proxy of a cluster, by its own rules. */
export function scrape(cluster: string): readonly (readonly [Labels, number])[] {
  const { items } = JSON.parse(
    kubectl(cluster, 'get', 'pods', '-A', '-l', 'service.istio.io/canonical-name', '-o', 'json'),
  ) as {
    items: readonly {
      readonly metadata: {
        readonly annotations: Labels;
        readonly labels: Labels;
        readonly deletionTimestamp?: string;
      };
      readonly status: { readonly podIP: string };
    }[];
  };
  // Pods that are ending may not answer any more.
  const pods = items.filter(
    ({ metadata }) =>
      metadata.annotations['prometheus.io/scrape'] === 'true' && metadata.deletionTimestamp === undefined,
  );
  const urls = pods.map(({ metadata, status: { podIP } }) => {
    const { 'prometheus.io/port': port, 'prometheus.io/path': path } = metadata.annotations;
    return `http://${podIP}:${port}${path}`;
  });
  return fetchFromOutside(cluster, urls).flatMap((text, index) =>
    parseMetrics(text).flatMap(([labels, value]): (readonly [Labels, number])[] => {
      const workload = pods[index]?.metadata.labels['app.kubernetes.io/name'] ?? '';
      const kept = relabel({ ...labels, workload }, metricRules);
      return kept === undefined ? [] : [[kept, value]];
    }),
  );
}
