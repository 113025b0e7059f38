import { ProblemsError, throwIfAny, type Problem } from '../core/problem.ts';
import { removeMesh } from '../infra/apply/remove.ts';
import { connect, type ClusterAccess } from '../infra/kube/connection.ts';
import type { KubeClient } from '../infra/kube/kube-client.ts';
import { findSame } from '../infra/preflight/same-cluster.ts';
import { runTasks, type Task } from './output/tasks.ts';
import { identityOf, recordFile, recordRemoved, removableMesh, type UpRecord } from './workspace/record.ts';
import type { Workspace } from './workspace/workspace.ts';

/** Says, before anything is changed, which clusters `up` is going to remove the mesh from. */
export function tellLeft({ left = {}, access }: UpRecord): readonly string[] {
  const kept = Object.keys(access).join(', ');
  return Object.entries(left).map(
    ([name, { kubeconfig, context }]) =>
      `cluster ${name} is no longer declared: when the mesh is applied to ${kept} and proved there, ` +
      `all of it is deleted from ${name} (context ${context} of ${kubeconfig})`,
  );
}

/**
 * Checks, before anything is changed, that no cluster which the mesh is to be removed from is one that it is to be in. One that
 * cannot be reached is told of when its turn comes.
 * @throws ProblemsError: exit 2 for such a cluster; with Pulumi's engine, which begins with all of its clusters, exit 1 for one that cannot be reached
 */
export async function checkLeft(at: Workspace, record: UpRecord, signal: AbortSignal): Promise<void> {
  const { left = {}, engine } = record;
  for (const [name, access] of Object.entries(left)) {
    const client = await reach(at, name, access, signal).catch((error: unknown) => {
      if (error instanceof ProblemsError && engine === 'apply') return undefined;
      throw error;
    });
    if (client !== undefined) throwIfAny(await stillDeclared(client, record, signal));
  }
}

/**
 * Removes the mesh from each cluster that is no longer declared, as `down` does, and from the record each that is done.
 * @param trustDir - as in `removeMesh`
 * @throws ProblemsError (exit 1) for a cluster that cannot be reached, or not be cleared; the record keeps it then
 */
export async function removeLeft(
  at: Workspace,
  record: UpRecord,
  trustDir: string,
  signal: AbortSignal,
): Promise<void> {
  const check = async (client: KubeClient) => {
    throwIfAny(await stillDeclared(client, record, signal));
  };
  const tasks = leftTasks(at, record, trustDir, signal, { check });
  if (tasks.length > 0) await runTasks([tasks]);
}

/**
 * The same as steps, one for each cluster, for when nothing of the mesh stays anywhere.
 * @param options - `check` sees each cluster before anything is deleted there; `kept` is told how many objects stay in one
 */
export function leftTasks(
  at: Workspace,
  record: UpRecord,
  trustDir: string,
  signal: AbortSignal,
  {
    check = () => Promise.resolve(),
    kept = () => undefined,
  }: {
    readonly check?: (client: KubeClient) => Promise<void>;
    readonly kept?: (objects: number) => void;
  },
): readonly Task[] {
  return Object.entries(record.left ?? {}).map(([name, access]) => ({
    title: `mesh, removed from ${name}, which is no longer declared`,
    run: async (report) => {
      await check(await reach(at, name, access, signal));
      const mesh = await removableMesh(record, () => Promise.reject(new Error('up records its mesh')));
      const identity = identityOf(record);
      const from = { access: { [name]: access }, trustDir, identity, report, signal };
      kept(await removeMesh({ ...mesh, clusters: [{ name }] }, from));
      recordRemoved(at.stateDir, name);
    },
  }));
}

/** @throws ProblemsError (exit 1) with what to do where it cannot be reached */
async function reach(
  at: Workspace,
  name: string,
  access: ClusterAccess,
  signal: AbortSignal,
): Promise<KubeClient> {
  try {
    const client = (await connect([name], { [name]: access }, signal))[name];
    if (client === undefined) throw new Error(`no client was made for cluster ${name}`);
    return client;
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    const { context, kubeconfig } = access;
    throw new ProblemsError(
      error.problems.map(({ what }) => ({
        where: `cluster ${name}`,
        what: `is no longer declared, and the mesh is not removed from it yet: ${what}`,
        fix:
          `make it answer by context ${context} of ${kubeconfig} and run the command again; ` +
          `if it no longer exists, remove it from \`left\` in ${recordFile(at.stateDir)}`,
      })),
      1,
    );
  }
}

/** That a cluster that the mesh is to be removed from is one that it is in, by whatever context. */
async function stillDeclared(
  client: KubeClient,
  { access }: UpRecord,
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  const others = Object.values(await connect(Object.keys(access), access, signal));
  const same = await findSame(client, others, signal);
  if (same === undefined) return [];
  const where = `cluster ${client.cluster}`;
  const allowed = 'a Kubernetes cluster of its own for each name';
  if (same === 'unknown') {
    const what =
      'is no longer declared, and cannot be told from those that are: the credentials may not get Namespace kube-system';
    return [{ where, what, allowed, fix: 'grant that right (docs/rights/down.yaml)' }];
  }
  return [
    {
      where,
      what: `is no longer declared, and is the same Kubernetes cluster as ${same.cluster}: removing the mesh from it would take down ${same.cluster}`,
      allowed,
      fix: `declare it as ${client.cluster} again; to rename it, run \`npm run down\` first`,
    },
  ];
}
