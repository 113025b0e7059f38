import { readdirSync } from 'node:fs';

/** What a process may open, and has open. */
export interface OpenFiles {
  /** The limit of `ulimit -n`; Infinity when there is none. */
  readonly allowed: number;
  readonly open: number;
}

/** For what else is opened meanwhile: connections of other tests, modules, workers. */
const spare = 100;

/** What this process may open, and has open. Source: getrlimit(2), RLIMIT_NOFILE. */
export function openFiles(): OpenFiles {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  // The names of the hosts it is connected to are asked of DNS otherwise.
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as unknown as {
    userLimits: { open_files: { soft: number | 'unlimited' } };
  };
  const { soft } = userLimits.open_files;
  return { allowed: soft === 'unlimited' ? Infinity : soft, open: readdirSync('/dev/fd').length };
}

/**
 * Refuses what would run out of open files: a server at its limit takes no connection, and says nothing to who waits
 * for one.
 * @param name - of the variable that asks for them
 * @param connections - whose both ends are in this process
 * @throws Error that says what is needed, what is allowed and what to do
 */
export function assertConnectionsFit(name: string, connections: number, { allowed, open }: OpenFiles): void {
  if (!Number.isInteger(connections) || connections < 1)
    throw new Error(`${name}: ${connections} received; allowed a whole number from 1`);
  const needed = open + 2 * connections + spare;
  if (needed <= allowed) return;
  throw new Error(
    `${name}: ${connections} connections, both ends in one process, need ${needed} open files, and ${allowed} are allowed; ` +
      `allow more ("ulimit -n ${needed}"), or ask for at most ${Math.floor((allowed - open - spare) / 2)}`,
  );
}
