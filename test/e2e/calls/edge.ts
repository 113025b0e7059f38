import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { expect } from '@jest/globals';
import { waitFor } from '../../../core/wait.ts';
import { kubectl } from '../checkout/lab.ts';

export const issuer = 'https://id.example';
export const audience = 'shop';
const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' });
/** Keys of somebody else. */
export const theirs = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** What edges are given to tell our tokens. */
export const jwks = {
  keys: [{ ...ours.publicKey.export({ format: 'jwk' }), kid: 'ours', alg: 'ES256', use: 'sig' }],
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly host?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Certificate of the authority to trust: the request is made over TLS. */
  readonly ca?: string;
}

const addresses = new Map<string, string>();

/** Looks where the ingress gateway of a cluster is, for {@link ask}: the mesh's own, or the one of others that is named. */
export function readAddress(
  cluster: string,
  { namespace, name } = { namespace: 'istio-ingress', name: 'istio-ingressgateway' },
): void {
  const path = 'jsonpath={.status.loadBalancer.ingress[0].ip}';
  const service = ['-n', namespace, 'get', `service/${name}`, '-o', path];
  addresses.set(cluster, kubectl(cluster, ...service).trim());
}

/** What {@link readAddress} saw. */
export function addressOf(cluster: string): string {
  const address = addresses.get(cluster);
  if (address === undefined) throw new Error(`the ingress address of ${cluster} was not read`);
  return address;
}

/** A request to the ingress gateway of a cluster, whatever its host resolves to. */
export function ask(cluster: string, path: string, options: Ask = {}): Promise<Answer> {
  return askAt(addressOf(cluster), path, options);
}

/** A request to an address, whatever its host resolves to. */
export function askAt(address: string, path: string, options: Ask = {}): Promise<Answer> {
  const { method = 'GET', host = 'anything.example', headers = {}, ca, body } = options;
  const common = { host: address, path, method, headers: { host, ...headers }, agent: false };
  return new Promise((resolve, reject) => {
    const request =
      ca === undefined ? httpRequest(common) : httpsRequest({ ...common, ca, servername: host, port: 443 });
    request.setTimeout(30_000, () => request.destroy(new Error(`no answer from ${address} within 30 s`)));
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    request.end(body);
  });
}

/**
 * Awaits a status: configuration takes some seconds to reach the gateways.
 * @param count - requests at once, each over a connection of its own, that all have to get it: the threads of a gateway
 *   take their configuration at different times
 */
export function askUntil(
  cluster: string,
  path: string,
  expected: number,
  options: Ask = {},
  count = 1,
): Promise<Answer> {
  const what = `${options.method ?? 'GET'} ${path} of ${options.host ?? 'any host'} in ${cluster} to get ${expected}`;
  return waitFor({ what, timeoutMs: 90_000 }, async () => {
    const answers = await Promise.all(Array.from({ length: count }, () => ask(cluster, path, options))).catch(
      (error: unknown) => String(error),
    );
    if (typeof answers === 'string') return { done: false, because: answers };
    const other = answers.find(({ status }) => status !== expected);
    return other === undefined
      ? { done: true, value: answers[0]! }
      : { done: false, because: `${other.status} ${other.body.slice(0, 100)}` };
  });
}

/** A JSON Web Token, signed with ES256 (RFC 7518, section 3.4). */
export function token(
  claims: Readonly<Record<string, unknown>> = {},
  key: KeyObject = ours.privateKey,
): string {
  const now = Math.floor(Date.now() / 1_000);
  const payload = { iss: issuer, aud: audience, sub: 'ada', iat: now - 60, exp: now + 600, ...claims };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'ES256', kid: 'ours', typ: 'JWT' })}.${encode(payload)}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

export const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

/** Requests that are sent at once: one after the other they might be slower than what a limit adds each second. */
export function burst(count: number, send: () => Promise<Answer>): Promise<readonly Answer[]> {
  return Promise.all(Array.from({ length: count }, send));
}

export const inOrder = (answers: readonly { readonly status: number | string }[]) =>
  answers.map(({ status: code }) => code);

/** How often the gateway's Envoy has refused what istiod sent it. */
export function rejectedBy(cluster: string): number {
  const gateway = [
    '-n',
    'istio-ingress',
    'exec',
    'deployment/istio-ingressgateway',
    '-c',
    'istio-proxy',
    '--',
  ];
  const stats = kubectl(cluster, ...gateway, 'pilot-agent', 'request', 'GET', 'stats?filter=update_rejected');
  const counts = [...stats.matchAll(/update_rejected: (\d+)$/gm)].map(([, count]) => Number(count));
  expect(counts).not.toEqual([]);
  return counts.reduce((sum, count) => sum + count, 0);
}
