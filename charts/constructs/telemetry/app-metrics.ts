import type { k8s } from 'cdk8s-plus-28';

const path = '/metrics';

/** Variable that says where a container's metrics are, on the loopback. */
export const metricsPort = 'METRICS_PORT';

/**
 * Tells the proxy's agent which metrics of the pod to merge with its own, which Prometheus gets
 * (https://istio.io/latest/docs/ops/integrations/prometheus/#option-1-metrics-merging). It asks on the loopback, and
 * injection replaces these annotations by those of the agent. For more than one container that takes Istio 1.31;
 * earlier ones know the first alone.
 */
export function metricsAnnotations(containers: readonly k8s.Container[]): Readonly<Record<string, string>> {
  const ports = containers.flatMap(({ env = [] }) =>
    env.flatMap(({ name, value }) => (name === metricsPort && value !== undefined ? [value] : [])),
  );
  const [first] = ports;
  if (first === undefined) return {};
  return {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': first,
    'prometheus.io/path': path,
    ...(ports.length === 1
      ? {}
      : { 'prometheus.istio.io/scrape-targets': ports.map((port) => `${port}:${path}`).join(',') }),
  };
}
