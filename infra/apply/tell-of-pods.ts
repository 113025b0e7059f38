import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemsError } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { isObserved, isWorkload, lookAt, readinessOf } from '../plan/readiness.ts';
import { PodWatch, podTimes } from './pod-watch.ts';
import type { PodTimes } from './pod-watch.ts';

/**
 * Tells why pods do not start while somebody else waits for their workloads: Pulumi's provider does, before a step can be
 * settled, for up to ten minutes and in words of its own. Ends nothing and never fails. Keeps no process alive.
 * @param objects - what is being applied; a workload counts once it lives as it is declared here
 * @param done - aborted when they have been waited for
 */
export async function tellOfPods(
  client: KubeClient,
  objects: readonly KubeObject[],
  report: (line: string) => void,
  done: AbortSignal,
  times: PodTimes = podTimes,
): Promise<void> {
  const watched = readinessOf(objects).flatMap(({ kind, object }) => {
    if (!isWorkload(kind) && kind !== 'ended') return [];
    const tell = (line: string) => {
      report(`${client.cluster}: ${describe(object)}: ${line}`);
    };
    return [{ kind, object, watch: new PodWatch(client, tell, times, done) }];
  });
  if (watched.length === 0) return;
  try {
    for (;;) {
      await sleep(times.interval, undefined, { ref: false, signal: done });
      for (const { kind, object, watch } of watched) {
        const live = await client.get(object, done);
        const applied =
          live !== undefined && isObserved(live) && isPartOf(templateOf(object), templateOf(live));
        if (applied && !lookAt(kind, live).done) await watch.look(live);
      }
    }
  } catch (error) {
    // Whoever waits tells what fails.
    if (!done.aborted && !(error instanceof ProblemsError)) throw error;
  }
}

function templateOf(workload: KubeObject): unknown {
  return field(workload, 'spec', 'template');
}

/** Whether all that is declared is there; the server adds its defaults. */
function isPartOf(declared: unknown, live: unknown): boolean {
  if (Array.isArray(declared))
    return (
      Array.isArray(live) &&
      declared.length === live.length &&
      declared.every((entry, index) => isPartOf(entry, live[index]))
    );
  if (typeof declared !== 'object' || declared === null) return declared === live;
  return Object.entries(declared).every(([key, value]) => isPartOf(value, field(live, key)));
}
