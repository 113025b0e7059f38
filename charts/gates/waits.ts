import type { Problem } from '../../core/problem.ts';
import { field, list, text, title } from '../model/rendered.ts';
import type { RenderedMesh } from '../model/rendered.ts';
import { podsOf } from './pods.ts';

/** What Kubernetes gives pods that do not say it. Seconds. */
const usualGrace = 30;

/** What the proxy beside a container has to end in, once that has (Istio's terminationDrainDuration). Seconds. */
const proxySeconds = 5;

/**
 * The wait before a container is told to end (`preStop.sleep`) is a part of the grace period, which begins with it: what it leaves has to be
 * enough for the calls in flight. Where it leaves nothing, the API server refuses the pods, and not their Deployment.
 */
export function waits({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) =>
    podsOf(cluster).flatMap(({ of: { where, object }, pod }) => {
      const grace = field(pod, 'spec', 'terminationGracePeriodSeconds') ?? usualGrace;
      return list(pod, 'spec', 'containers').flatMap((container): readonly Problem[] => {
        const seconds = field(container, 'lifecycle', 'preStop', 'sleep', 'seconds');
        if (typeof seconds !== 'number' || typeof grace !== 'number') return [];
        const most = grace - proxySeconds - 1;
        if (seconds >= 1 && seconds <= most) return [];
        const name = `containers[${text(container, 'name') ?? ''}]`;
        return [
          {
            where,
            what: `${title(object)}: ${name} is told to end after so many seconds that its calls cannot end before the pod is killed, ${grace} s after it began to end`,
            received: seconds,
            allowed: `1 to ${Math.max(most, 1)}: the proxy takes ${proxySeconds} s more, and calls at least one`,
            fix: 'shorten preStop.sleep, or raise terminationGracePeriodSeconds',
          },
        ];
      });
    }),
  );
}
