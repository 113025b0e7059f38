import { keysOf } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import type { TrafficDefaults } from '../scope/traffic-defaults.ts';
import { Findings, type Mapping } from './findings.ts';
import { limitProblems } from './limit-problems.ts';
import { anHour, retryProblems } from './rule-problems.ts';

const keys = keysOf<TrafficDefaults>({ timeoutMs: true, retries: true, outliers: true });

/**
 * What is wrong with what a mesh or a namespace says of all calls; plain JavaScript may pass anything.
 * @param where - path of the mesh or namespace
 * @param traffic - what it says
 * @param around - what the mesh says, for a namespace. @default - it is of the mesh
 */
export function defaultProblems(
  where: string,
  traffic: unknown,
  around?: TrafficDefaults,
): readonly Problem[] {
  const findings = new Findings(where);
  const own = findings.mapping('traffic', traffic, keys);
  if (own === undefined) return findings.problems;
  const { timeoutMs, retries, outliers } = own;
  findings.whole('traffic.timeoutMs', timeoutMs, 1, anHour);
  retryProblems(findings, own, 'traffic.retries');
  limitProblems(findings, { outliers }, 'traffic.');
  if (findings.problems.length > 0 || (timeoutMs === undefined) === (retries === undefined))
    return findings.problems;
  // One of the two is the mesh's.
  const limit = timeoutMs ?? around?.timeoutMs;
  const attempt = ((retries ?? around?.retries) as Mapping | null | undefined)?.['perTryTimeoutMs'];
  if (typeof limit === 'number' && typeof attempt === 'number' && attempt >= limit) {
    findings.add(retries === undefined ? 'traffic.timeoutMs' : 'traffic.retries.perTryTimeoutMs', {
      what: 'leaves no time for a second attempt, because of what the mesh says of the other',
      received: retries === undefined ? limit : attempt,
      allowed: retries === undefined ? `more than ${attempt}` : `less than ${limit}`,
    });
  }
  return findings.problems;
}
