import type { k8s } from 'cdk8s-plus-28';

const path = '/metrics';

/** Variable that says where a container's metrics are, on the loopback. */
export const metricsPort = 'METRICS_PORT';

/** Where a container serves metrics on the pod's loopback. */
interface Served {
  readonly port: number | string;
  readonly path: string;
}

/**
 * Tells the proxy's agent which metrics of the pod to merge with its own, which Prometheus gets
 * (https://istio.io/latest/docs/ops/integrations/prometheus/#option-1-metrics-merging). It asks on the loopback, and
 * injection replaces these annotations by those of the agent. For more than one container that takes Istio 1.31;
 * earlier ones know the first alone.
 * @param foreign - of the container whose image is built elsewhere. @default - it has none
 */
export function metricsAnnotations(
  containers: readonly k8s.Container[],
  foreign?: Served,
): Readonly<Record<string, string>> {
  const ours = containers.flatMap(({ env = [] }) =>
    env.flatMap(({ name, value }) =>
      name === metricsPort && value !== undefined ? [{ port: value, path }] : [],
    ),
  );
  const served: readonly Served[] = [...(foreign === undefined ? [] : [foreign]), ...ours];
  const [first] = served;
  if (first === undefined) return {};
  return {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(first.port),
    'prometheus.io/path': first.path,
    ...(served.length === 1
      ? {}
      : { 'prometheus.istio.io/scrape-targets': served.map((one) => `${one.port}:${one.path}`).join(',') }),
  };
}
