import { stringify } from 'yaml';
import { isIPv4 } from 'node:net';
import { readFileSync } from 'node:fs';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import type { KubeClient } from './kube-client.ts';
import { labelManaged, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import { remoteSecretName } from './plan.ts';
import { lifeInWords, requestToken, tokenClaims } from './service-account-token.ts';

/** The service account of Istio's base release that remote control planes act as. */
export const readerAccount = 'istio-reader-service-account';

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
export function remoteSecret(
  mesh: string,
  cluster: string,
  namespace: string,
  access: RemoteAccess,
): KubeObject {
  const secret = {
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
  };
  return labelManaged(secret, mesh);
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
  const { kubeconfig, token } = readSecret(cluster, live);
  if (token === undefined || kubeconfig !== remoteKubeconfig(cluster, { ...wanted, token })) return undefined;
  const claims = tokenClaims(token);
  if (claims?.accountUid !== wanted.accountUid) return undefined;
  const life = claims.expires - claims.issued;
  return claims.expires - now / 1000 > life / 3 ? token : undefined;
}

/** When the token of a live remote secret ends, in milliseconds since the epoch; undefined when it does not, or is none. */
export function tokenEnd(cluster: string, live: KubeObject | undefined): number | undefined {
  const expires = tokenClaims(readSecret(cluster, live).token ?? '')?.expires;
  return expires === undefined ? undefined : expires * 1000;
}

function readSecret(cluster: string, live: KubeObject | undefined) {
  const kubeconfig = Buffer.from(text(live, 'data', cluster) ?? '', 'base64').toString('utf8');
  return { kubeconfig, token: /^ +token: (\S+)$/m.exec(kubeconfig)?.[1] };
}

export interface RemoteSecretOptions {
  readonly mesh: string;
  /** Namespace of the control planes. */
  readonly namespace: string;
  /** The cluster that the secret is for. */
  readonly local: KubeClient;
  /** The cluster that it opens. */
  readonly remote: KubeClient;
  /** No token is asked for: one that is due is shown as {@link tokenToCome}. @default false */
  readonly preview?: boolean;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Stands in a preview for a token that `up` will ask for. */
export const tokenToCome = 'made-by-up';

/**
 * The secret that opens `remote` to `local`: the live one where it can stay, else one with a fresh token.
 * @throws ProblemsError (exit 1) when the remote cluster grants no token.
 */
export async function makeRemoteSecret(options: RemoteSecretOptions): Promise<KubeObject> {
  const { mesh, namespace, local, remote, preview = false, report, signal } = options;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: readerAccount, namespace } };
  const accountUid = text(await remote.get(account, signal), 'metadata', 'uid');
  if (accountUid === undefined && preview)
    return remoteSecret(mesh, remote.cluster, namespace, {
      server: remote.server,
      ca: '',
      token: tokenToCome,
    });
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
  const secret = (token: string) => remoteSecret(mesh, remote.cluster, namespace, { ...wanted, token });
  const kept = reusableToken(remote.cluster, await local.get(secret(''), signal), wanted, Date.now());
  if (kept === undefined && preview) return secret(tokenToCome);
  const token = kept ?? (await requestToken(remote, account, signal));
  report(`${local.cluster}: its token for ${remote.cluster} is valid ${lifeInWords(token)}`);
  return secret(token);
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
 * @throws ProblemsError (exit 2) with every loopback or unspecified address; a single cluster may have one.
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
  // The unspecified addresses connect to this machine, too.
  return (
    ['localhost', '::1', '::', '0.0.0.0'].includes(host) ||
    host.endsWith('.localhost') ||
    (isIPv4(host) && host.startsWith('127.'))
  );
}
