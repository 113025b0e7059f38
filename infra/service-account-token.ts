import { ProblemsError } from '../core/problem.ts';
import { KubeError } from './kube-http.ts';
import type { KubeClient } from './kube-client.ts';
import { describe, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

const day = 24 * 60 * 60;
/** Asked of the TokenRequest API; a server may grant less (`--service-account-max-token-expiration`). */
const requestedSeconds = 30 * day;
/** Servers may round a little. */
const toleratedSeconds = 60;

export interface TokenClaims {
  /** Seconds since the epoch. */
  readonly issued: number;
  readonly expires: number;
  readonly accountUid: string;
}

/**
 * The claims of a bound service account token (RFC 7519), unverified: the token came from the API server itself. Undefined
 * for what is no such token, and for a token without an end.
 */
export function tokenClaims(token: string): TokenClaims | undefined {
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
 * A token of the service account, bound to it, for 30 days or what the server grants.
 * @throws ProblemsError (exit 1) when the cluster grants none.
 */
export async function requestToken(
  client: KubeClient,
  account: KubeObject,
  signal: AbortSignal | undefined,
): Promise<string> {
  const where = `${client.cluster}: token for ${describe(account)}`;
  const { namespace = '', name } = account.metadata;
  try {
    const answer = await client.request(
      'POST',
      `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
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

/** `until 2030-01-31T00:00:00.000Z`, with a warning when the server granted less than was asked. */
export function lifeInWords(token: string): string {
  const claims = tokenClaims(token);
  if (claims === undefined) return 'for a time that it does not say';
  const { issued, expires } = claims;
  const until = `until ${new Date(expires * 1000).toISOString()}`;
  if (expires - issued >= requestedSeconds - toleratedSeconds) return until;
  const granted = ((expires - issued) / day).toFixed(1);
  return `${until}; warning: the server granted ${granted} days of the ${requestedSeconds / day} asked for, so run up again before then`;
}
