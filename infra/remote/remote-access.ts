import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { remoteReader } from '../../charts/constructs/scope/names.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { labelManaged, managedByLabel, manager, partOfLabel, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { readRemoteSecret, remoteKubeconfig, remoteSecret, tokenPlaceholder } from './remote-secret.ts';
import type { LiveRemoteSecret } from './remote-secret.ts';
import { isNearEnd, describeLifetime, refusal, requestToken, tokenClaims } from './service-account-token.ts';
import type { RemoteAccessSettings } from '../plan/stack-config.ts';

/** Label of the Secrets that tokens are bound to: the cluster whose control plane has the token. */
const readerLabel = 'meshwright/remote-reader';

export interface RemoteAccessOptions {
  readonly mesh: string;
  /** Namespace of the control planes, and of the service account that they use in another cluster. */
  readonly namespace: string;
  /** The cluster whose control plane reads. */
  readonly reader: KubeClient;
  /** The cluster that is read. */
  readonly remote: KubeClient;
  /** Address of the API server of `remote`, as reachable from the pods of `reader`. */
  readonly server: string;
  readonly settings: RemoteAccessSettings;
  /** Called when a new token was issued. @default - not called */
  readonly issued?: () => void;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The secret that gives `reader` access to `remote`: the live one while it is still good, else one with a new token. The
 * old token stays valid until {@link revokeOthers} revokes it.
 * @param preview - requests no token: the secret then contains a placeholder
 * @throws ProblemsError (exit 1) when the remote cluster issues no token.
 */
export async function grantAccess(options: RemoteAccessOptions, preview = false): Promise<KubeObject> {
  const { mesh, namespace, reader, remote, server, settings, report, signal } = options;
  const account = await remote.get(accountIn(namespace), signal);
  if (account === undefined) {
    if (preview)
      return remoteSecret(mesh, remote.cluster, namespace, { server, ca: '', token: tokenPlaceholder });
    const where = `${remote.cluster}: ServiceAccount ${namespace}/${remoteReader}`;
    throw new ProblemsError([{ where, what: 'does not exist; stage 10-control-plane creates it' }], 1);
  }
  const ca = await certificateAuthority(remote, namespace, signal);
  const secret = (token: string) => remoteSecret(mesh, remote.cluster, namespace, { server, ca, token });
  const live = readRemoteSecret(remote.cluster, await reader.get(secret(''), signal));
  const because = renewalReason(options, live, { ca, accountUid: uidOf(account) }, Date.now());
  const refused = because ?? (live && (await whyRefused(remote, live.token, signal)));
  if (refused === undefined && live?.claims !== undefined) {
    const life = describeLifetime(live.claims, settings.tokenDays);
    report(`${reader.cluster}: its token for ${remote.cluster} is valid ${life}`);
    return secret(live.token);
  }
  if (preview) return secret(tokenPlaceholder);
  const boundTo = await createBinding(options, account);
  const token = await requestToken(remote, { account, boundTo, days: settings.tokenDays }, signal);
  options.issued?.();
  const claims = tokenClaims(token);
  const life = claims === undefined ? 'for an unknown time' : describeLifetime(claims, settings.tokenDays);
  report(`${reader.cluster}: new token for ${remote.cluster}, because ${refused}; valid ${life}`);
  return secret(token);
}

/**
 * Revokes every token of `remote` for `reader` except the one in its live remote secret, by deleting the Secrets that they
 * are bound to. Call it when the reader's control planes use the live one.
 * @returns number of revoked tokens
 */
export async function revokeOthers(
  options: Omit<RemoteAccessOptions, 'server' | 'settings'>,
): Promise<number> {
  const { mesh, namespace, reader, remote, report, signal } = options;
  const live = await reader.get(remoteSecret(mesh, remote.cluster, namespace, nothing), signal);
  const kept = readRemoteSecret(remote.cluster, live)?.claims?.boundTo?.uid;
  const stale = (await listBindings(remote, mesh, namespace, signal)).filter(
    (binding) => readerOf(binding) === reader.cluster && uidOf(binding) !== kept,
  );
  for (const binding of stale) await remote.remove(binding, signal);
  if (stale.length > 0) {
    report(`${remote.cluster}: revoked ${reader.cluster}'s older tokens (${stale.length})`);
  }
  return stale.length;
}

/** Revokes the tokens of clusters that are no longer in the mesh. */
export async function revokeStrangers(
  remote: KubeClient,
  options: {
    readonly mesh: string;
    readonly namespace: string;
    readonly clusters: readonly string[];
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const { mesh, namespace, clusters, report, signal } = options;
  for (const binding of await listBindings(remote, mesh, namespace, signal)) {
    const reader = readerOf(binding) ?? '';
    if (clusters.includes(reader)) continue;
    await remote.remove(binding, signal);
    report(`${remote.cluster}: revoked a token of ${reader}, which is not in the mesh`);
  }
}

const nothing = { server: '', ca: '', token: '' };

/**
 * Why a live remote secret has to be replaced, as shown to the user; undefined when it is good.
 * @param now - in milliseconds since the epoch
 */
export function renewalReason(
  {
    reader,
    remote,
    server,
    settings,
  }: Pick<RemoteAccessOptions, 'reader' | 'remote' | 'server' | 'settings'>,
  live: LiveRemoteSecret | undefined,
  { ca, accountUid }: { readonly ca: string; readonly accountUid: string | undefined },
  now: number,
): string | undefined {
  if (live === undefined) return 'it has none';
  const { kubeconfig, token, claims } = live;
  if (kubeconfig !== remoteKubeconfig(remote.cluster, { server, ca, token }))
    return 'the address or CA of the API server differs from that in the remote secret';
  if (claims === undefined) return 'its present one does not expire';
  if (claims.accountUid !== accountUid) return 'its present one is for another service account';
  const bound = generationOf(claims.boundTo?.name ?? '', reader.cluster);
  if (bound === undefined) return 'its present one cannot be revoked';
  if (bound !== settings.generation)
    return `remoteAccess.generation went from ${bound} to ${settings.generation}`;
  if (claims.expires * 1000 <= now) return 'its present one has expired';
  return isNearEnd(claims, now) ? 'less than a third of the life of its present one is left' : undefined;
}

/** Why the remote cluster refuses the live token, for example because it was revoked. */
async function whyRefused(
  remote: KubeClient,
  token: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const reason = await refusal(remote, token, signal);
  return reason === undefined ? undefined : `${remote.cluster} refuses its present one: ${reason}`;
}

/** `istio-remote-reader-CLUSTER-GENERATION-RANDOM`: the token contains this name, so the token itself tells its generation. */
function bindingName(reader: string, generation: number): string {
  return `${remoteReader}-${reader}-${generation}-${randomBytes(4).toString('hex')}`;
}

function generationOf(binding: string, reader: string): number | undefined {
  const prefix = `${remoteReader}-${reader}-`;
  if (!binding.startsWith(prefix)) return undefined;
  const generation = /^(\d+)-[0-9a-f]{8}$/.exec(binding.slice(prefix.length))?.[1];
  return generation === undefined ? undefined : Number(generation);
}

/** Creates an empty Secret; deleting it revokes the token that is bound to it. It is deleted with the account. */
async function createBinding(options: RemoteAccessOptions, account: KubeObject): Promise<KubeObject> {
  const { mesh, namespace, reader, remote, settings, signal } = options;
  const binding = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: bindingName(reader.cluster, settings.generation),
      namespace,
      labels: { [readerLabel]: reader.cluster },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ServiceAccount', name: remoteReader, uid: uidOf(account) },
      ],
    },
  };
  return remote.apply(labelManaged(binding, mesh), signal);
}

async function listBindings(
  remote: KubeClient,
  mesh: string,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const type = await remote.typeOf('v1', 'Secret', signal);
  if (type === undefined) return [];
  const labelSelector = `${managedByLabel}=${manager},${partOfLabel}=${mesh},${readerLabel}`;
  return remote.list(type, { namespace, labelSelector, ...(signal && { signal }) });
}

function readerOf(binding: KubeObject): string | undefined {
  return binding.metadata.labels?.[readerLabel];
}

function uidOf(object: KubeObject): string | undefined {
  return text(object, 'metadata', 'uid');
}

function accountIn(namespace: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: remoteReader, namespace } };
}

/** The CA in the kubeconfig, or else the CA that the cluster gives to its own pods. */
async function certificateAuthority(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { caData, caFile } = client.config.getCurrentCluster() ?? {};
  if (caData) return Buffer.from(caData, 'base64').toString('utf8');
  if (caFile) return readFileSync(caFile, 'utf8');
  const published = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kube-root-ca.crt', namespace },
  };
  const ca = text(await client.get(published, signal), 'data', 'ca.crt');
  if (ca !== undefined) return ca;
  throw new ProblemsError([
    {
      where: `cluster ${client.cluster}`,
      what: 'neither its kubeconfig nor the cluster names the CA of its API server',
      fix: 'add certificate-authority-data to the kubeconfig',
    },
  ]);
}
