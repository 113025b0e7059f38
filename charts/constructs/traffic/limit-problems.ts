import type { Findings } from './findings.ts';
import type { Connections, Outliers } from './props.ts';

/** In seconds. */
const day = 86_400;

/** The largest numbers of each. */
const limits = {
  connections: {
    maxRequests: 2 ** 31 - 1,
    maxPendingRequests: 2 ** 31 - 1,
    maxRequestsPerConnection: 2 ** 31 - 1,
    idleTimeoutSeconds: day,
  },
  outliers: {
    consecutiveErrors: 1000,
    intervalSeconds: day,
    ejectionSeconds: day,
    maxEjectionPercent: 100,
  },
} satisfies {
  readonly connections: Record<keyof Connections, number>;
  readonly outliers: Record<keyof Outliers, number>;
};

/**
 * What is wrong with limits of connections, and with when pods are taken out of use; plain JavaScript may pass anything.
 * @param above - what paths begin with. @default - nothing
 * @param maxResting - the longest rest of a connection, in seconds. @default - a day
 */
export function limitProblems(
  findings: Findings,
  given: { readonly connections?: unknown; readonly outliers?: unknown },
  above = '',
  maxResting = day,
): void {
  for (const group of ['connections', 'outliers'] as const) {
    const known: Readonly<Record<string, number>> = limits[group];
    const values = findings.mapping(`${above}${group}`, given[group], Object.keys(known));
    if (values === undefined) continue;
    for (const [key, most] of Object.entries(known)) {
      const limit = key === 'idleTimeoutSeconds' ? maxResting : most;
      findings.whole(`${above}${group}.${key}`, values[key], 1, limit);
    }
  }
}
