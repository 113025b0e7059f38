import { k8s } from 'cdk8s-plus-28';
import type { Metadata, Projection } from '../scope/projection.ts';

interface AutoscalerProps {
  /** Fewest pods. */
  readonly replicas: number;
  readonly maxReplicas: number;
  /** Percent of the CPU that a container requests. */
  readonly cpuPercent: number;
  readonly containers: readonly string[];
}

/**
 * Adds a HorizontalPodAutoscaler (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/) for the
 * Deployment of the same name. It looks at each of the app's containers by itself, and the busiest decides: an average over
 * the pod would count in what the proxy requests, and let a busy app hide behind an idle proxy. It goes up at once, and
 * down by half of the pods a minute after five quiet minutes: each pod that goes takes its connections with it.
 */
export function addAutoscaler(into: Projection, metadata: Metadata, props: AutoscalerProps): void {
  const { replicas, maxReplicas, cpuPercent, containers } = props;
  into.add('50-workloads', k8s.KubeHorizontalPodAutoscalerV2, metadata, {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name },
      minReplicas: replicas,
      maxReplicas,
      metrics: containers.map((container) => ({
        type: 'ContainerResource',
        containerResource: {
          container,
          name: 'cpu',
          target: { type: 'Utilization', averageUtilization: cpuPercent },
        },
      })),
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 300,
          policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
        },
      },
    },
  });
}
