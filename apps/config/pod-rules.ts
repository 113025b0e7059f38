import type { Problem } from '../../core/problem.ts';
import { at, type Where } from './mapping.ts';
import { defaultShutdown } from './schema.ts';
import { secondsAround } from './shutdown.ts';

/** Checks that there is something to scale: from a pod at least, to more pods. */
export function checkAutoscaling(value: unknown, where: Where): Problem[] {
  const least = at(value, 'replicas');
  const most = at(value, 'autoscaling', 'maxReplicas');
  if (!isCount(least) || !isCount(most)) return [];
  const problems: Problem[] = [];
  if (least === 0) {
    problems.push({
      where: where('replicas'),
      what: 'an autoscaler does not start from none',
      received: least,
      allowed: '1 or more with autoscaling',
      fix: 'raise replicas, or remove autoscaling',
    });
  }
  if (most <= least) {
    problems.push({
      where: where('autoscaling', 'maxReplicas'),
      what: 'not more than replicas, the fewest pods',
      received: most,
      allowed: `more than ${least}`,
      fix: 'raise it, or remove autoscaling',
    });
  }
  return problems;
}

/** What the form accepts; anything else has its problem already. */
function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1000;
}

/** Checks that the calls in flight can end before the pod is killed. */
export function checkShutdown(value: unknown, where: Where): Problem[] {
  const drain = at(value, 'shutdown', 'drainSeconds') ?? defaultShutdown.drainSeconds;
  const grace = at(value, 'shutdown', 'graceSeconds') ?? defaultShutdown.graceSeconds;
  if (typeof drain !== 'number' || typeof grace !== 'number') return [];
  const { endpointRemoval, proxy } = secondsAround;
  const needed = endpointRemoval + drain + proxy;
  if (needed <= grace) return [];
  return [
    {
      where: where('shutdown', 'graceSeconds'),
      what:
        `the pod would be killed before its calls end: ${endpointRemoval} s until callers know, ` +
        `drainSeconds ${drain}, ${proxy} s for the proxy`,
      received: grace,
      allowed: `at least ${needed}`,
      fix: 'raise graceSeconds or lower drainSeconds',
    },
  ];
}
