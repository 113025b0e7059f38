import { stringify } from 'yaml';
import { isIPv4 } from 'node:net';
import { readFileSync } from 'node:fs';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import { KubeError } from './kube-http.ts';
import type { KubeClient } from './kube-client.ts';
import { labelManaged, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import { remoteSecretName } from './plan.ts';

/** The service account of Istio's base release that remote control planes act as. */
export const readerAccount = 'istio-reader-service-account';

const day = 24 * 60 * 60;
/** Asked of the TokenRequest API; a server may grant less (`--service-account-max-token-expiration`). */
const requestedSeconds = 30 * day;

/** What a remote secret says about the cluster it opens; `token` is a secret. */
export interface RemoteAccess {
  readonly server: string;
  /** PEM bundle that the server's certificate is checked with. */
  readonly ca: string;
  readonly token: string;
}

/** What the secret has to match to be kept. */
export interface WantedAccess {
  readonly server: string;
  readonly ca: string;
  /** Tokens die with their service account; a new account of the same name has another uid. */
  readonly accountUid: string;
}

/**
 * The secret that `istioctl create-remote-secret` makes: a kubeconfig under the cluster's name, labelled for istiod to find.
 */
export function remoteSecret(cluster: string, namespace: string, access: RemoteAccess): KubeObject {
  return labelManaged({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: remoteSecretName(cluster),
      namespace,
      labels: { 'istio/multiCluster': 'true' },
      annotations: { 'networking.istio.io/cluster': cluster },
    },
    data: { [cluster]: Buffer.from(remoteKubeconfig(cluster, access)).toString('base64') },
  });
}

/** The kubeconfig inside a remote secret. */
export function remoteKubeconfig(cluster: string, access: RemoteAccess): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster,
        cluster: {
          server: access.server,
          'certificate-authority-data': Buffer.from(access.ca).toString('base64'),
        },
      },
    ],
    contexts: [{ name: cluster, context: { cluster, user: cluster } }],
    'current-context': cluster,
    users: [{ name: cluster, user: { token: access.token } }],
  });
}

/**
 * The token of a remote secret that can stay as it is, or undefined when a new one is needed: the secret has to be the one
 * made for the wanted access, with more than a third of its token's life left. Time is in milliseconds since the epoch.
 */
export function reusableToken(
  cluster: string,
  live: KubeObject | undefined,
  wanted: WantedAccess,
  now: number,
): string | undefined {
  const kubeconfig = Buffer.from(text(live, 'data', cluster) ?? '', 'base64').toString('utf8');
  const token = /^ +token: (\S+)$/m.exec(kubeconfig)?.[1];
  if (token === undefined || kubeconfig !== remoteKubeconfig(cluster, { ...wanted, token })) return undefined;
  const claims = tokenClaims(token);
  if (claims?.accountUid !== wanted.accountUid) return undefined;
  const life = claims.expires - claims.issued;
  return claims.expires - now / 1000 > life / 3 ? token : undefined;
}

interface TokenClaims {
  /** Seconds since the epoch. */
  readonly issued: number;
  readonly expires: number;
  readonly accountUid: string;
}

/** The claims of a service account token (RFC 7519), unverified: the token came from the API server itself. */
function tokenClaims(token: string): TokenClaims | undefined {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      readonly iat: number;
      readonly exp: number;
      readonly 'kubernetes.io': { readonly serviceaccount: { readonly uid: string } };
    };
    return {
      issued: payload.iat,
      expires: payload.exp,
      accountUid: payload['kubernetes.io'].serviceaccount.uid,
    };
  } catch {
    return undefined;
  }
}

/**
 * The secret that opens `remote` to `local`: the live one where it can stay, else one with a fresh token.
 * @throws ProblemsError (exit 1) when the remote cluster grants no token.
 */
export async function makeRemoteSecret(
  local: KubeClient,
  remote: KubeClient,
  namespace: string,
  signal?: AbortSignal,
): Promise<KubeObject> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: readerAccount, namespace } };
  const accountUid = text(await remote.get(account, signal), 'metadata', 'uid');
  if (accountUid === undefined) {
    throw new ProblemsError(
      [
        {
          where: `${remote.cluster}: ServiceAccount ${namespace}/${readerAccount}`,
          what: 'does not exist; the Istio release brings it',
        },
      ],
      1,
    );
  }
  const wanted = {
    server: remote.server,
    ca: await certificateAuthority(remote, namespace, signal),
    accountUid,
  };
  const secret = (token: string) => remoteSecret(remote.cluster, namespace, { ...wanted, token });
  const kept = reusableToken(remote.cluster, await local.get(secret(''), signal), wanted, Date.now());
  return secret(kept ?? (await requestToken(remote, namespace, signal)));
}

async function requestToken(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const where = `${client.cluster}: token for ServiceAccount ${namespace}/${readerAccount}`;
  try {
    const answer = await client.request(
      'POST',
      `/api/v1/namespaces/${namespace}/serviceaccounts/${readerAccount}/token`,
      {
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { expirationSeconds: requestedSeconds },
        },
        ...(signal && { signal }),
      },
    );
    const token = text(answer, 'status', 'token');
    if (token !== undefined) return token;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new ProblemsError([{ where, what: `not granted: ${error.said}` }], 1);
  }
  throw new ProblemsError([{ where, what: 'the server granted none' }], 1);
}

/** The CA named in the kubeconfig; without one, the CA that the cluster gives its own pods. */
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

/**
 * Checks that every API server has an address that means the same machine to the pods of the other clusters.
 * @throws ProblemsError (exit 2) with every loopback address; a single cluster may have one.
 */
export function checkReachable(clients: readonly KubeClient[]): void {
  if (clients.length < 2) return;
  throwIfAny(
    clients.filter(isLoopback).map(({ cluster, server }) => ({
      where: `cluster ${cluster}`,
      what: 'its API server has a loopback address, which the pods of the other clusters cannot reach',
      received: server,
      fix: 'use a kubeconfig whose server is an address that the other clusters reach',
    })),
  );
}

function isLoopback({ server }: KubeClient): boolean {
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
