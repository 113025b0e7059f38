import { stringify } from 'yaml';
import { labelManaged, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { remoteSecretName } from '../plan/plan.ts';
import { tokenClaims } from './service-account-token.ts';
import type { TokenClaims } from './service-account-token.ts';

/** Placeholder in a previewed secret for a token that `up` will request. */
export const tokenPlaceholder = 'issued-by-up';

/** The access to a cluster in a remote secret; `token` is secret. */
export interface RemoteAccess {
  readonly server: string;
  /** PEM bundle that verifies the server's certificate. */
  readonly ca: string;
  readonly token: string;
}

/**
 * The secret that `istioctl create-remote-secret` creates: a kubeconfig under the cluster's name, with the label that istiod looks for.
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

/** A live remote secret. */
export interface LiveRemoteSecret {
  readonly kubeconfig: string;
  readonly token: string;
  /** Undefined for a token without an expiry. */
  readonly claims: TokenClaims | undefined;
}

/** The content of a live remote secret for a cluster; undefined when there is no secret, or no token in it. */
export function readRemoteSecret(
  cluster: string,
  live: KubeObject | undefined,
): LiveRemoteSecret | undefined {
  const kubeconfig = Buffer.from(text(live, 'data', cluster) ?? '', 'base64').toString('utf8');
  const token = /^ +token: (\S+)$/m.exec(kubeconfig)?.[1];
  return token === undefined ? undefined : { kubeconfig, token, claims: tokenClaims(token) };
}
