import { z } from 'zod';
import { ProblemsError } from '../../core/problem.ts';
import { KubeError } from '../kube/kube-http.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

const day = 24 * 60 * 60;
/** Servers may round the lifetime a little. */
const toleratedSeconds = 60;

export interface TokenClaims {
  /** Seconds since the epoch. */
  readonly issued: number;
  readonly expires: number;
  readonly accountUid: string;
  /** The Secret that the token is bound to: it is valid only while that one exists. */
  readonly boundTo?: { readonly name: string; readonly uid: string };
}

const payloadSchema = z.object({
  iat: z.number(),
  exp: z.number(),
  'kubernetes.io': z.object({
    serviceaccount: z.object({ uid: z.string() }),
    secret: z.object({ name: z.string(), uid: z.string() }).exactOptional(),
  }),
});

/**
 * The claims of a service account token of the TokenRequest API (RFC 7519). Their signature is not verified: the token came
 * from the API server itself. Undefined for anything else, and for a token without an expiry.
 */
export function tokenClaims(token: string): TokenClaims | undefined {
  let payload: unknown;
  try {
    payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const parsed = payloadSchema.safeParse(payload);
  if (!parsed.success) return undefined;
  const { iat, exp, 'kubernetes.io': kubernetes } = parsed.data;
  return {
    issued: iat,
    expires: exp,
    accountUid: kubernetes.serviceaccount.uid,
    ...(kubernetes.secret !== undefined && { boundTo: kubernetes.secret }),
  };
}

/** Whether less than a third of the token's life is left: it is renewed then, and warned about. Time is in milliseconds since the epoch. */
export function isNearEnd({ issued, expires }: TokenClaims, now: number): boolean {
  return expires - now / 1000 <= (expires - issued) / 3;
}

export interface TokenRequest {
  readonly account: KubeObject;
  /** A live Secret in the account's namespace: deleting it revokes the token. */
  readonly boundTo: KubeObject;
  /** Requested lifetime in days; a server may grant less (`--service-account-max-token-expiration`). */
  readonly days: number;
}

/**
 * Requests a token of the service account (https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/).
 * @throws ProblemsError (exit 1) when the cluster issues none.
 */
export async function requestToken(
  client: KubeClient,
  { account, boundTo, days }: TokenRequest,
  signal: AbortSignal | undefined,
): Promise<string> {
  const where = `${client.cluster}: token for ${describe(account)}`;
  const { namespace = '', name } = account.metadata;
  const boundObjectRef = {
    apiVersion: 'v1',
    kind: 'Secret',
    name: boundTo.metadata.name,
    uid: text(boundTo, 'metadata', 'uid'),
  };
  try {
    const answer = await client.request(
      'POST',
      `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      {
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { expirationSeconds: Math.round(days * day), boundObjectRef },
        },
        ...(signal && { signal }),
      },
    );
    const token = text(answer, 'status', 'token');
    if (token !== undefined) return token;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new ProblemsError([{ where, what: `not granted: ${error.reason}` }], 1);
  }
  throw new ProblemsError([{ where, what: 'the server returned no token' }], 1);
}

/**
 * Why the cluster refuses a token, in its own words; undefined when it accepts the token.
 * @param retryMs - how long to retry when the cluster does not answer, in milliseconds; 60 seconds by default
 * @throws ProblemsError (exit 1) when the cluster cannot be reached, or when the credentials may not review tokens.
 */
export async function refusal(
  client: KubeClient,
  token: string,
  signal: AbortSignal | undefined,
  retryMs?: number,
): Promise<string | undefined> {
  const answer = await client.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } },
    ...(retryMs !== undefined && { retryMs }),
    ...(signal && { signal }),
  });
  if (field(answer, 'status', 'authenticated') === true) return undefined;
  return text(answer, 'status', 'error') ?? 'it is not authenticated';
}

/** `until 2030-01-31T00:00:00.000Z`, with a warning when the server granted less than the wanted days. */
export function describeLifetime({ issued, expires }: TokenClaims, days: number): string {
  const until = `until ${new Date(expires * 1000).toISOString()}`;
  if (expires - issued >= days * day - toleratedSeconds) return until;
  const granted = ((expires - issued) / day).toFixed(1);
  return `${until}; warning: the server granted ${granted} of the ${days} days requested, so run up again before then`;
}
