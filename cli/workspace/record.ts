import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../core/files.ts';
import { oneLine } from '../../core/one-line.ts';
import { ProblemsError } from '../../core/problem.ts';
import { plannedNamespaces } from '../../infra/plan/reach.ts';
import type { Plan } from '../../infra/plan/plan.ts';

const recordSchema = z.object({
  engine: z.enum(['apply', 'pulumi']),
  /** Whether the clusters are this checkout's lab. */
  lab: z.boolean(),
  /** Whose file, `Pulumi.<stack>.yaml`, the configuration is in; defaults without one. */
  stack: z.string().exactOptional(),
  /** The environment of the declaration that it was made by. Versions that knew none left it out: {@link environmentOf}. */
  environment: z.string().exactOptional(),
  access: z.record(
    z.string(),
    z.object({ kubeconfig: z.string(), context: z.string(), apiServer: z.string().exactOptional() }),
  ),
  /**
   * On an Istio of others: every namespace that an `up` wrote in since the last `down`. Others may have a mesh of the same name
   * there, and what is in another namespace is theirs.
   */
  namespaces: z.array(z.string()).exactOptional(),
  /** While an `up` changes the clusters, and after it failed or was cut off; an `up` that ends well takes it away. */
  unfinishedUp: z
    .object({
      /** When it began to change them, ISO 8601. */
      since: z.string(),
      /** What it ended with, a line for each problem. */
      problems: z.array(z.string()).nullable(),
    })
    .exactOptional(),
});

/** What is up: written before anything is applied, so that `status` and `down` know where to look. */
export type UpRecord = Readonly<z.infer<typeof recordSchema>>;

/** The environment that is taken where no stack is named. */
export const labEnvironment = 'lab';

/** The environment of what is up: what an earlier version brought up has that of its stack's name, or else the lab's. */
export function environmentOf({ environment, stack }: Pick<UpRecord, 'environment' | 'stack'>): string {
  return environment ?? stack ?? labEnvironment;
}

const file = (stateDir: string) => join(stateDir, 'up.json');

/** The record of the last `up`; none after `down`. */
export function readRecord(stateDir: string): UpRecord | undefined {
  if (!existsSync(file(stateDir))) return undefined;
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file(stateDir), 'utf8')));
  } catch {
    throw new ProblemsError([
      {
        where: file(stateDir),
        what: 'is not a record of what is up',
        fix: 'restore it, or remove it and give `npm run up` the same contexts again',
      },
    ]);
  }
}

/** The record with the namespaces of an earlier one, and those that the plan names, on an Istio of others. */
export function withNamespaces(record: UpRecord, before: UpRecord | undefined, plan: Plan): UpRecord {
  if (plan.existing === undefined) return record;
  const namespaces = [...new Set([...(before?.namespaces ?? []), ...plannedNamespaces(plan)])];
  return { ...record, namespaces };
}

export function writeRecord(stateDir: string, record: UpRecord): void {
  writeFileAtomic(file(stateDir), JSON.stringify(record, null, 2));
}

/** Records that an `up` begins to change the clusters: what is left half done would look healthy otherwise. */
export function recordStart(stateDir: string, record: UpRecord): void {
  writeRecord(stateDir, { ...record, unfinishedUp: { since: new Date().toISOString(), problems: null } });
}

/** Records what the `up` that had begun ended with. {@link writeRecord} records one that ends well. */
export function recordFailure(stateDir: string, error: unknown): void {
  const record = readRecord(stateDir);
  if (record?.unfinishedUp === undefined) return;
  writeRecord(stateDir, {
    ...record,
    unfinishedUp: { since: record.unfinishedUp.since, problems: problemsOf(error) },
  });
}

const longestProblem = 500;
const mostProblems = 20;

function problemsOf(error: unknown): string[] {
  const texts =
    error instanceof ProblemsError
      ? error.problems.map(({ where, what }) => `${where}: ${what}`)
      : [error instanceof Error ? error.message : String(error)];
  return texts.slice(0, mostProblems).map((text) => oneLine(text, longestProblem));
}

export function removeRecord(stateDir: string): void {
  rmSync(file(stateDir), { force: true });
}
