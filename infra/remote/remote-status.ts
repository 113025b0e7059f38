import { remoteReader } from '../../charts/constructs/scope/names.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Clients } from '../kube/connection.ts';
import { readClusters } from './istiod-clusters.ts';
import type { Reading, SyncStatus } from './istiod-clusters.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { field } from '../kube/kube-object.ts';
import { remoteSecretName } from '../plan/plan.ts';
import { readRemoteSecret } from './remote-secret.ts';
import type { LiveRemoteSecret } from './remote-secret.ts';
import { isNearEnd, refusal } from './service-account-token.ts';

/** How the control plane of one cluster reads another one. */
export interface RemoteStatus {
  /** When the token expires, ISO 8601; null when there is none, or when it does not expire. */
  readonly tokenNotAfter: string | null;
  /** istiod's sync status with the other cluster; of several istiods, the worst. */
  readonly istiod: SyncStatus;
  /** What is wrong; null when the access works. */
  readonly problem: string | null;
  /** What will go wrong unless someone acts; null when nothing will. */
  readonly warning: string | null;
  /** Which of the other cluster's Secrets who holds the token can list; null when that is not known. */
  readonly listsSecrets: SecretsListed | null;
}

/** All, or those of the control plane's namespace only; the key of the CA is among both. */
export type SecretsListed = 'all' | 'namespace' | 'none';

export interface RemoteStatusOptions {
  readonly namespace: string;
  readonly reader: KubeClient;
  /** All clusters of the mesh. */
  readonly clients: Clients;
  readonly signal?: AbortSignal;
}

/** The access of a cluster's control plane to all the others, by their names. */
export async function readRemotes(
  options: RemoteStatusOptions,
): Promise<Readonly<Record<string, RemoteStatus>>> {
  const { namespace, reader, clients, signal } = options;
  const remotes = Object.keys(clients).filter((name) => name !== reader.cluster);
  if (remotes.length === 0) return {};
  const readings = await readClusters(reader, namespace, remotes, signal);
  const statuses = await Promise.all(
    Object.values(clients)
      .filter(({ cluster }) => cluster !== reader.cluster)
      .map(async (remote) => {
        const { cluster } = remote;
        return [cluster, await readOne(options, remote, readings.get(cluster) ?? [])] as const;
      }),
  );
  return Object.fromEntries(statuses);
}

async function readOne(
  { namespace, reader, signal }: RemoteStatusOptions,
  remote: KubeClient,
  readings: readonly Reading[],
): Promise<RemoteStatus> {
  const metadata = { name: remoteSecretName(remote.cluster), namespace };
  const secret = await reader.get({ apiVersion: 'v1', kind: 'Secret', metadata }, signal);
  const live = readRemoteSecret(remote.cluster, secret);
  const end = live?.claims?.expires;
  const istiod = worstStatus(readings);
  const problem = (await tokenProblem(remote, live, signal)) ?? syncProblem(istiod);
  const listsSecrets = live === undefined ? 'none' : await secretsListed(remote, namespace, signal);
  return {
    tokenNotAfter: end === undefined ? null : new Date(end * 1000).toISOString(),
    istiod,
    problem,
    warning: problem === null ? tokenWarning(live) : null,
    listsSecrets,
  };
}

/**
 * What the cluster's own authorizer says of the account that the tokens are of (SubjectAccessReview). It is asked with the groups
 * that the API server adds to a service account, because it looks up none, and roles may be bound to them
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects).
 */
async function secretsListed(
  remote: KubeClient,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<SecretsListed | null> {
  const accounts = 'system:serviceaccounts';
  const mayList = async (where: { readonly namespace?: string }): Promise<boolean> => {
    const answer = await remote.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: `system:serviceaccount:${namespace}:${remoteReader}`,
          groups: [accounts, `${accounts}:${namespace}`, 'system:authenticated'],
          resourceAttributes: { verb: 'list', resource: 'secrets', ...where },
        },
      },
      retryMs: 0,
      ...(signal && { signal }),
    });
    return field(answer, 'status', 'allowed') === true;
  };
  try {
    // Without a namespace it means all of them.
    if (await mayList({})) return 'all';
    return (await mayList({ namespace })) ? 'namespace' : 'none';
  } catch (error) {
    // As for tokens: not reached, or not for these credentials to ask.
    if (error instanceof ProblemsError) return null;
    throw error;
  }
}

const order: readonly SyncStatus[] = ['closed', 'timeout', 'syncing', 'unknown', 'synced'];

function worstStatus(readings: readonly Reading[]): SyncStatus {
  return order.find((status) => readings.some((reading) => reading.status === status)) ?? 'unknown';
}

function syncProblem(istiod: SyncStatus): string | null {
  return istiod === 'timeout' || istiod === 'closed'
    ? `istiod has not synced with it (${istiod}): run \`npm run up\`, which says why`
    : null;
}

async function tokenProblem(
  remote: KubeClient,
  live: LiveRemoteSecret | undefined,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const again = 'run `npm run up`, which issues a new one';
  if (live === undefined) return `it has no token: ${again}`;
  const { claims, token } = live;
  if (claims !== undefined && claims.expires * 1000 <= Date.now())
    return `its token expired on ${new Date(claims.expires * 1000).toISOString()}: ${again}`;
  try {
    const refused = await refusal(remote, token, signal, 0);
    return refused === undefined ? null : `its token is refused (${refused}): ${again}`;
  } catch (error) {
    // A cluster that cannot be reached is reported in its own row, and not all credentials may review tokens.
    if (error instanceof ProblemsError) return null;
    throw error;
  }
}

function tokenWarning(live: LiveRemoteSecret | undefined): string | null {
  const claims = live?.claims;
  if (claims === undefined) return 'its token does not expire: run `npm run up`, which replaces it';
  if (!isNearEnd(claims, Date.now())) return null;
  const days = Math.floor((claims.expires - Date.now() / 1000) / (24 * 60 * 60));
  const left = days >= 2 ? `in ${days} days` : `at ${new Date(claims.expires * 1000).toISOString()}`;
  return `its token ends ${left}: run \`npm run up\`, which renews it`;
}
