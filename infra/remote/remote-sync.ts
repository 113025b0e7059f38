import { KubeConfig } from '@kubernetes/client-node';
import { remoteReader } from '../../charts/constructs/scope/names.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import { istiodLog, lastWatchError, readClusters } from './istiod-clusters.ts';
import type { Reading } from './istiod-clusters.ts';
import { KubeClient } from '../kube/kube-client.ts';
import { KubeError } from '../kube/kube-http.ts';
import type { Limits } from '../plan/limits.ts';
import { remoteSecretName } from '../plan/plan.ts';
import { revokeOthers } from './remote-access.ts';
import { readRemoteSecret } from './remote-secret.ts';

export interface SyncOptions {
  readonly mesh: string;
  /** Namespace of the control planes. */
  readonly namespace: string;
  /** The cluster whose control planes read the others. */
  readonly reader: KubeClient;
  /** The clusters that they read. */
  readonly remotes: readonly KubeClient[];
  /** When the remote secrets were written, in milliseconds since the epoch. */
  readonly writtenAt: number;
  readonly report: (line: string) => void;
  readonly limits: Pick<Limits, 'remoteCluster' | 'remoteSecretTaken'>;
  readonly signal?: AbortSignal;
}

const intervalMs = 500;
/** Extra time for the check that runs when the time is up: its answer is reported. */
const lastCheckMs = 60_000;
const requestMs = 5_000;

/**
 * Waits until every istiod of a cluster has synced with the other clusters through their remote secrets, then revokes the
 * tokens that these secrets replaced. Only istiod's report counts, not what can be reached from this machine.
 * @throws ProblemsError (exit 1) with every cluster that is not synced: istiod's report, and what to do.
 */
export async function settleRemotes(options: SyncOptions): Promise<void> {
  const { mesh, namespace, reader, remotes, report, signal } = options;
  const unread = await awaitSynced(options);
  for (const remote of remotes.filter(({ cluster }) => !unread.has(cluster))) {
    await revokeOthers({ mesh, namespace, reader, remote, report, ...(signal && { signal }) });
  }
  const problems = await Promise.all(
    remotes.flatMap((remote) => {
      const readings = unread.get(remote.cluster);
      return readings === undefined ? [] : [explain(options, remote, readings)];
    }),
  );
  if (problems.length > 0) throw new ProblemsError(problems, 1);
}

type Unread = ReadonlyMap<string, readonly Reading[]>;

/** The clusters that are not synced when the time is up, with the last report of each istiod. */
async function awaitSynced(options: SyncOptions): Promise<Unread> {
  const { namespace, reader, remotes, writtenAt, report, limits, signal } = options;
  const timeoutMs = limits.remoteCluster;
  const names = remotes.map(({ cluster }) => cluster);
  const what = `${reader.cluster}: istiod synced with ${names.join(', ')}`;
  const started = Date.now();
  let looks = 0;
  return waitFor(
    { what, timeoutMs: timeoutMs + lastCheckMs, intervalMs, ...(signal && { signal }) },
    async () => {
      const looked = Date.now();
      const readings = await readClusters(reader, namespace, names, signal);
      const open = names.filter((name) => !isSynced(readings.get(name)));
      const unread = new Map(open.map((name) => [name, readings.get(name) ?? []]));
      const ended = looked - started >= timeoutMs;
      if (ended || (open.length === 0 && looked >= writtenAt + limits.remoteSecretTaken))
        return { done: true, value: unread };
      if (open.length === 0) return { done: false, because: 'its istiod may not have read the secrets yet' };
      const because = [...unread].map(([cluster, seen]) => `${cluster}: ${inWords(seen)}`).join('; ');
      if (++looks === 1) report(`${what}: waiting, ${because}`);
      return { done: false, because };
    },
  );
}

function isSynced(readings: readonly Reading[] | undefined): boolean {
  return readings !== undefined && readings.length > 0 && readings.every(({ status }) => status === 'synced');
}

/** `istiod-5d8f reports timeout, istiod-9k2l reports nothing (…)`. */
function inWords(readings: readonly Reading[]): string {
  if (readings.length === 0) return 'no istiod is ready';
  return readings
    .map(
      ({ pod, status, because }) =>
        `${pod} reports ${because === undefined ? status : `nothing (${because})`}`,
    )
    .join(', ');
}

const again = 'then run the command again';

async function explain(
  options: SyncOptions,
  remote: KubeClient,
  readings: readonly Reading[],
): Promise<Problem> {
  const { namespace, reader, limits } = options;
  const { cluster } = remote;
  const bad = readings.find(({ status }) => status !== 'synced');
  const reason = bad && (await reasonOf(options, cluster, bad.pod));
  const { server, answer } = await askFromHere(options, cluster);
  const seconds = Math.round(limits.remoteCluster / 1000);
  return {
    where: `${reader.cluster}: remote secret ${namespace}/${remoteSecretName(cluster)}`,
    what: [
      `${reader.cluster}'s control plane does not read the API server of ${cluster} after ${seconds} s: ${inWords(readings)}`,
      ...(reason === undefined ? [] : [`its log: ${reason}`]),
      `from here, ${server} ${answer}`,
    ].join('; '),
    fix:
      reason === undefined && (bad === undefined || bad.status === 'unknown')
        ? `check that ${reader.cluster} has a ready istiod, and that you may run commands in its pods (pods/exec), ${again}`
        : fixFor(reason ?? answer, reader.cluster, cluster, server),
  };
}

async function reasonOf(
  { namespace, reader }: SyncOptions,
  cluster: string,
  pod: string,
): Promise<string | undefined> {
  try {
    return lastWatchError(await istiodLog(reader, namespace, pod), cluster);
  } catch (error) {
    // Another failure is being reported.
    if (error instanceof ProblemsError) return undefined;
    throw error;
  }
}

/** Makes one request with the remote secret, as istiod does. */
async function askFromHere(
  { namespace, reader }: SyncOptions,
  cluster: string,
): Promise<{ readonly server: string; readonly answer: string }> {
  const metadata = { name: remoteSecretName(cluster), namespace };
  const live = readRemoteSecret(cluster, await reader.get({ apiVersion: 'v1', kind: 'Secret', metadata }));
  if (live === undefined)
    return { server: 'no API server', answer: 'can be asked: there is no remote secret' };
  const config = new KubeConfig();
  config.loadFromString(live.kubeconfig);
  const client = new KubeClient(cluster, config);
  const { server } = client;
  const signal = AbortSignal.timeout(requestMs);
  try {
    await client.request('GET', '/api/v1/namespaces', { query: { limit: '1' }, retryMs: 0, signal });
    return { server, answer: 'accepts the same token' };
  } catch (error) {
    if (signal.aborted) return { server, answer: `does not answer within ${requestMs / 1000} s` };
    if (error instanceof KubeError)
      return { server, answer: `refuses the token: ${error.reason} (${error.status})` };
    if (error instanceof ProblemsError) {
      const why = error.problems.map(({ what }) => what.slice(what.indexOf('cannot be reached'))).join('; ');
      // Remove Node's advice on certificates, which does not apply here.
      return { server, answer: why.replace(/; if the root CA is .*$/, '') };
    }
    throw error;
  }
}

function fixFor(reason: string, reader: string, cluster: string, server: string): string {
  const address = `clusters.${cluster}.apiServer in the stack file`;
  if (/unauthorized|401/i.test(reason))
    return `check that ${server} is the API server of ${cluster} (${address}), ${again}: it replaces a refused token`;
  if (/forbidden|403/i.test(reason))
    return `restore the permissions that stage 10-control-plane grants ServiceAccount ${remoteReader} in ${cluster}, ${again}`;
  if (/x509|certificate/i.test(reason))
    return `put the CA of ${server} into ${cluster}'s kubeconfig, or set ${address} to an address that its certificate covers, ${again}`;
  return `let the pods of ${reader} reach ${server}, or set ${address} to an address that they can reach, ${again}`;
}
