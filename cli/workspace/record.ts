import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../core/files.ts';
import { oneLine } from '../../core/one-line.ts';
import { ProblemsError, throwIfAny, type Problem } from '../../core/problem.ts';
import type { RemovableMesh } from '../../infra/apply/remove.ts';
import { declaredNamespaces, outsideNamespaces, plannedNamespaces } from '../../infra/plan/reach.ts';
import type { MeshIdentity } from '../../infra/preflight/identity.ts';
import type { Plan } from '../../infra/plan/plan.ts';

const accessSchema = z.record(
  z.string(),
  z.object({ kubeconfig: z.string(), context: z.string(), apiServer: z.string().exactOptional() }),
);

const recordSchema = z.object({
  engine: z.enum(['apply', 'pulumi']),
  /** Whether the clusters are this checkout's lab. */
  lab: z.boolean(),
  /** Whose file, `Pulumi.<stack>.yaml`, the configuration is in; defaults without one. */
  stack: z.string().exactOptional(),
  /** The environment of the declaration that it was made by. Versions that knew none left it out: {@link environmentOf}. */
  environment: z.string().exactOptional(),
  /** What `down` knows it by: the declaration may say something else by then. Versions that took the declaration left it out. */
  mesh: z
    .object({
      name: z.string(),
      /** Namespace of the control plane. */
      controlPlane: z.string(),
      /** On an Istio of others: the namespaces that it shares with others. Absent: its Istio is its own. */
      sharedNamespaces: z.array(z.string()).exactOptional(),
    })
    .exactOptional(),
  /** How each of its clusters is reached. */
  access: accessSchema,
  /** Clusters that are no longer declared, and may hold some of the mesh still. */
  left: accessSchema.exactOptional(),
  /**
   * On an Istio of others: every namespace that an `up` wrote in since the last `down`. Others may have a mesh of the same name
   * there, and what is in another namespace is theirs.
   */
  namespaces: z.array(z.string()).exactOptional(),
  /** The same of objects outside of namespaces, as `ClusterRole shop-reader`. */
  outside: z.array(z.string()).exactOptional(),
  /** What an `up` that ended well read of the clusters: it tells the mesh from another one of its name. */
  identity: z.object({ id: z.string(), trustDomain: z.string() }).exactOptional(),
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

/** Where the record is, in the folder of the state. */
export const recordFile = (stateDir: string): string => join(stateDir, 'up.json');

/** The record of the last `up`; none after `down`. */
export function readRecord(stateDir: string): UpRecord | undefined {
  if (!existsSync(recordFile(stateDir))) return undefined;
  try {
    return recordSchema.parse(JSON.parse(readFileSync(recordFile(stateDir), 'utf8')));
  } catch {
    throw new ProblemsError([
      {
        where: recordFile(stateDir),
        what: 'is not a record of what is up',
        fix: 'restore it, or remove it and give `npm run up` the same contexts again',
      },
    ]);
  }
}

/**
 * The record with what `down` has to know of the mesh: its name and, on an Istio of others, the namespaces of an earlier record and
 * those that the plan names.
 * @throws ProblemsError (exit 2) when the earlier record is of another mesh, which nobody would find any more
 */
export function withMesh(record: UpRecord, before: UpRecord | undefined, plan: Plan): UpRecord {
  throwIfAny(otherMesh(before, plan));
  const mesh = { name: plan.mesh, controlPlane: plan.controlPlaneNamespace };
  if (plan.existing === undefined) return { ...record, mesh };
  const planned = plannedNamespaces(plan);
  const made = outsideNamespaces(plan.steps.flatMap(({ objects }) => objects));
  const outside = [...new Set([...(before?.outside ?? []), ...made])];
  const { sharedNamespaces } = plan.existing;
  // What others made stays theirs when it is no longer declared.
  const earlier = (before?.mesh?.sharedNamespaces ?? []).filter((name) => !planned.includes(name));
  return {
    ...record,
    mesh: { ...mesh, sharedNamespaces: [...earlier, ...sharedNamespaces] },
    namespaces: [...new Set([...(before?.namespaces ?? []), ...planned])],
    ...(outside.length > 0 && { outside }),
  };
}

/** That the plan is of another mesh than the one that is up: the record is of one alone. */
export function otherMesh(before: UpRecord | undefined, plan: Plan): readonly Problem[] {
  const up = before?.mesh;
  if (up === undefined) return [];
  const fix = 'run `npm run down` first, which goes by what is up, or use another checkout';
  if (up.name !== plan.mesh) {
    const what = 'declares another mesh than the one of this checkout that is up';
    return [{ where: 'mesh.ts', what, received: plan.mesh, allowed: up.name, fix }];
  }
  const kind = (isOwn: boolean) => (isOwn ? 'an Istio of its own' : 'an Istio of others');
  const received = kind(plan.existing === undefined);
  const allowed = kind(up.sharedNamespaces === undefined);
  if (received === allowed) return [];
  const what = 'declares another Istio than the one that the mesh is up on';
  return [{ where: 'mesh.ts', what, received, allowed, fix }];
}

/**
 * What `down` knows a mesh by.
 * @param declared - says it where the record is of a version that left it out
 */
export async function removableMesh(
  record: UpRecord,
  declared: () => Promise<RemovableMesh>,
): Promise<RemovableMesh> {
  const { mesh, namespaces = [], outside } = record;
  const clusters = Object.keys(everyAccess(record)).map((name) => ({ name }));
  if (mesh === undefined) {
    const model = await declared();
    const all = [...declaredNamespaces(model), ...namespaces];
    return { ...model, clusters, namespaces: all, ...(outside && { outside }) };
  }
  const { name, controlPlane, sharedNamespaces } = mesh;
  return {
    ...{ name, clusters, controlPlane: { namespace: controlPlane }, namespaces },
    ...(sharedNamespaces !== undefined && { existing: { sharedNamespaces } }),
    ...(outside && { outside }),
  };
}

/** How all clusters are reached that may hold some of the mesh. */
export function everyAccess({ access, left = {} }: UpRecord): UpRecord['access'] {
  return { ...left, ...access };
}

/** Records that a cluster that is no longer declared holds nothing of the mesh any more. */
export function recordRemoved(stateDir: string, cluster: string): void {
  const record = readRecord(stateDir);
  if (record !== undefined) writeRecord(stateDir, withoutLeft(record, [cluster]));
}

/** The record without these clusters among those that are no longer declared. */
export function withoutLeft(record: UpRecord, clusters: readonly string[]): UpRecord {
  const { left = {}, ...rest } = record;
  const kept = Object.entries(left).filter(([name]) => !clusters.includes(name));
  return { ...rest, ...(kept.length > 0 && { left: Object.fromEntries(kept) }) };
}

/** What tells the mesh of a record from another one of its name. */
export function identityOf(record: UpRecord): MeshIdentity {
  return { environment: environmentOf(record), ...record.identity };
}

/** The record with the identity of an earlier one. */
export function withIdentity(record: UpRecord, before: UpRecord | undefined): UpRecord {
  return before?.identity === undefined ? record : { ...record, identity: before.identity };
}

export function writeRecord(stateDir: string, record: UpRecord): void {
  writeFileAtomic(recordFile(stateDir), JSON.stringify(record, null, 2));
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
  rmSync(recordFile(stateDir), { force: true });
}
