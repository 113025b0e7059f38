import type { Problem } from '../../core/problem.ts';
import { at, type Where } from './mapping.ts';
import { defaultShutdown } from './fields.ts';
import { secondsAround } from './shutdown.ts';

/** Checks that an autoscaler has a range: a minimum of one pod or more, and a maximum above the minimum. */
export function checkAutoscaling(value: unknown, where: Where): Problem[] {
  const least = at(value, 'replicas');
  const most = at(value, 'autoscaling', 'maxReplicas');
  if (!isCount(least) || !isCount(most)) return [];
  const problems: Problem[] = [];
  if (least === 0) {
    problems.push({
      where: where('replicas'),
      what: 'an autoscaler cannot scale up from 0 pods',
      received: least,
      allowed: '1 or more with autoscaling',
      fix: 'raise replicas, or remove autoscaling',
    });
  }
  if (most <= least) {
    problems.push({
      where: where('autoscaling', 'maxReplicas'),
      what: 'not more than replicas, the minimum number of pods',
      received: most,
      allowed: `more than ${least}`,
      fix: 'raise maxReplicas, or remove autoscaling',
    });
  }
  return problems;
}

/** What the schema accepts; it reports anything else. */
function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1000;
}

/** Checks that calls in flight have the time to end before the pod is killed. */
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
        `the pod would be killed before its calls end: ${endpointRemoval} s until callers stop sending calls, ` +
        `${drain} s of drainSeconds, ${proxy} s for the proxy`,
      received: grace,
      allowed: `at least ${needed}`,
      fix: 'raise graceSeconds or lower drainSeconds',
    },
  ];
}
