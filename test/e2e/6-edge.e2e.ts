import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import { nodeNamespace } from '../../lab/network.ts';
import { callMany, eventually, status, type Caller } from './calls/call.ts';
import { makeCertificate } from './calls/certificate.ts';
import { echoIn } from './calls/echo.ts';
import {
  addressOf,
  ask,
  askUntil,
  audience,
  bearer,
  burst,
  inOrder,
  readAddress,
  rejectedBy,
  theirs,
  token,
} from './calls/edge.ts';
import { edgeMesh, members, secret, secure } from './meshes/edge-mesh.ts';
import { ensureLab, kubectl } from './checkout/lab.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;

/** The headers of the call of this trace, as an echo server logged them. */
function seenBy(cluster: string, pod: string, trace: string): Promise<Record<string, string>> {
  return waitFor({ what: `a log line of ${pod} in ${cluster} about ${trace}`, timeoutMs: minute }, () => {
    const lines = kubectl(cluster, '-n', 'shop', 'logs', `pod/${pod}`, '-c', 'catalog', '--tail=200');
    const line = lines.split('\n').find((each) => each.includes(trace));
    if (line === undefined) return { done: false, because: `${lines.split('\n').length} lines without it` };
    return { done: true, value: (JSON.parse(line) as { headers: Record<string, string> }).headers };
  });
}

let authority = '';
const rejectedBefore: Record<string, number> = {};

beforeAll(async () => {
  await ensureLab();
  for (const cluster of clusters) rejectedBefore[cluster] = rejectedBy(cluster);
  await applyVariant(edgeMesh(), { change: echoIn('shop') });
  const { ca, manifest } = await makeCertificate(secure, secret);
  authority = ca;
  for (const cluster of clusters) {
    kubectl(cluster, 'apply', '-f', '-', { input: manifest });
    readAddress(cluster);
    await askUntil(cluster, '/v1/products/p-1', 200, {}, 8);
    await askUntil(cluster, '/v1/products/p-1', 200, { host: members, headers: bearer(token()) }, 8);
  }
}, 60 * minute);

afterAll(() => {
  for (const cluster of clusters) {
    kubectl(cluster, '-n', 'istio-ingress', 'delete', 'secret', secret, '--ignore-not-found');
  }
});

describe.each(clusters)('the ingress gateway of %s', (cluster) => {
  test('takes the methods that are exposed, and refuses everything else itself', async () => {
    expect(await ask(cluster, '/v1/products?page_size=7')).toMatchObject({ status: 200 });
    const refused = { status: 403, body: 'RBAC: access denied' };
    // Another method of an exposed service, a method of another service, no path of anybody, and another HTTP method.
    expect(await ask(cluster, '/v1/prices:watch')).toMatchObject(refused);
    expect(await ask(cluster, '/v1/orders')).toMatchObject(refused);
    expect(await ask(cluster, '/')).toMatchObject(refused);
    expect(await ask(cluster, '/v1/products/p-1/more')).toMatchObject(refused);
    expect(await ask(cluster, '/v1/products/p-1', { method: 'POST' })).toMatchObject(refused);
  });

  test('asks for a valid token, method by method', async () => {
    const get = (headers: OutgoingHttpHeaders = {}) =>
      ask(cluster, '/v1/products/p-1', { host: members, headers });
    expect(await get(bearer(token()))).toMatchObject({ status: 200 });
    expect(await get(bearer(token({ aud: ['other', audience] })))).toMatchObject({ status: 200 });
    expect(await get()).toMatchObject({ status: 403, body: 'RBAC: access denied' });
    const past = Math.floor(Date.now() / 1_000) - 3_600;
    const wrong = {
      expired: [token({ exp: past }), 'Jwt is expired'],
      'of another issuer': [token({ iss: 'https://other.example' }), 'Jwt issuer is not configured'],
      'signed by another key': [token({}, theirs.privateKey), 'Jwt verification fails'],
      'no token': ['abc', 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections'],
    } as const;
    // Who it is for is a matter of access to Envoy, not of who the bearer is.
    expect(await get(bearer(token({ aud: 'other' })))).toMatchObject({
      status: 403,
      body: 'Audiences in Jwt are not allowed',
    });
    for (const [what, [text, body]] of Object.entries(wrong)) {
      const { status: code, body: said } = await get(bearer(text));
      expect({ what, code, said }).toEqual({ what, code: 401, said: body });
    }
  });

  test('asks for a claim where a rule does', async () => {
    const order = (claims: object) =>
      ask(cluster, '/v1/orders', {
        method: 'POST',
        host: members,
        headers: { ...bearer(token({ ...claims })), 'content-type': 'application/json' },
      });
    expect(await order({})).toMatchObject({ status: 403 });
    expect(await order({ role: 'visitor' })).toMatchObject({ status: 403 });
    expect(await order({ role: 'buyer' })).toMatchObject({ status: 200 });
    expect(await order({ role: ['visitor', 'buyer'] })).toMatchObject({ status: 200 });
  });

  test('passes a claim on as metadata, and none that a client makes up', async () => {
    const send = async (path: string, headers: OutgoingHttpHeaders) => {
      const trace = randomBytes(16).toString('hex');
      const answer = await ask(cluster, path, {
        host: members,
        headers: { ...headers, traceparent: `00-${trace}-00f067aa0ba902b7-01` },
      });
      expect(answer.status).toBe(200);
      const [servedIn = '', pod = ''] = String(answer.headers['x-served-by']).split('/');
      return seenBy(servedIn, pod, trace);
    };
    const trusted = await send('/v1/products/p-1', bearer(token({ sub: 'grace' })));
    expect(trusted).toMatchObject({ 'x-user': 'grace' });
    // The token itself ends at the gateway.
    expect(trusted).not.toHaveProperty('authorization');
    expect(await send('/v1/products/p-1', { ...bearer(token()), 'x-user': 'root' })).toMatchObject({
      'x-user': 'ada',
    });
    // Without a token, on the method that needs none.
    expect(await send('/v1/products', { 'x-user': 'root' })).not.toHaveProperty('x-user');
  });

  test('a method without a token still refuses one that is wrong', async () => {
    const list = { host: members, headers: bearer(token({}, theirs.privateKey)) };
    expect(await ask(cluster, '/v1/products', list)).toMatchObject({ status: 401 });
  });

  test('answers preflights of the allowed origin without a token, and of no other', async () => {
    const preflight = (origin: string) =>
      ask(cluster, '/v1/products/p-1', {
        method: 'OPTIONS',
        host: members,
        headers: { origin, 'access-control-request-method': 'GET' },
      });
    expect(await preflight('https://shop.example')).toMatchObject({
      status: 200,
      headers: {
        'access-control-allow-origin': 'https://shop.example',
        'access-control-allow-methods': 'GET,POST',
        'access-control-allow-headers': 'authorization,content-type',
        'access-control-max-age': '600',
      },
    });
    expect((await preflight('https://evil.example')).headers).not.toHaveProperty(
      'access-control-allow-origin',
    );
    // OPTIONS that is no preflight.
    expect(await ask(cluster, '/v1/products/p-1', { method: 'OPTIONS', host: members })).toMatchObject({
      status: 403,
    });
    const get = (origin: string) => ask(cluster, '/v1/products/p-1', { headers: { origin } });
    expect((await get('https://shop.example')).headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-expose-headers': 'x-served-by',
    });
    expect((await get('https://evil.example')).headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('serves TLS from the Secret, and redirects plain HTTP to it', async () => {
    const options = { host: secure, ca: authority };
    await askUntil(cluster, '/v1/products/p-1', 200, options, 8);
    expect(await ask(cluster, '/v1/orders', options)).toMatchObject({ status: 403 });
    expect(await ask(cluster, '/v1/products/p-1?a=b', { host: secure })).toMatchObject({
      status: 301,
      headers: { location: `https://${secure}/v1/products/p-1?a=b` },
    });
    // By another name than the certificate's there is nothing on the TLS port.
    await expect(
      ask(cluster, '/v1/products/p-1', { host: 'other.example', ca: authority }),
    ).rejects.toThrow();
    // Under the server name of one edge the paths of another stay closed.
    const mixed = { host: secure, ca: authority, headers: { host: members, ...bearer(token()) } };
    expect((await ask(cluster, '/v1/products/p-1', mixed)).status).not.toBe(200);
  });
});

/** The status of a request that comes from a node's address. */
function askFromNode(node: string, cluster: string, path: string): string {
  const program = `fetch('http://${addressOf(cluster)}${path}').then(({ status }) => console.log(status))`;
  const command = ['netns', 'exec', nodeNamespace(node), process.execPath, '-e', program];
  return execFileSync('ip', command, { encoding: 'utf8', timeout: minute }).trim();
}

describe.each(clusters)('a limit at the ingress gateway of %s', (cluster) => {
  test('holds for requests of a method, and is over in time', async () => {
    // A client is the address it calls from, whatever it says about others before it.
    const list = () =>
      ask(cluster, '/v1/products', {
        headers: {
          origin: 'https://shop.example',
          'x-forwarded-for': `198.51.100.${Math.ceil(Math.random() * 250)}`,
        },
      });
    await askUntil(cluster, '/v1/products', 200);
    const started = Date.now();
    const answers = await burst(20, list);
    // The burst, and what the time since has added: one a second.
    const passed = inOrder(answers).filter((code) => code === 200).length;
    const most = 5 + Math.ceil((Date.now() - started) / 1_000);
    expect({ passed, atMost: passed <= most }).toEqual({ passed, atMost: true });
    const refused = answers.find(({ status: code }) => code === 429);
    // A script of the allowed origin can read that it was a limit.
    expect(refused).toMatchObject({
      status: 429,
      headers: { 'access-control-allow-origin': 'https://shop.example' },
    });
    expect(inOrder(answers).filter((code) => code !== 200 && code !== 429)).toEqual([]);
    // From another address there is no limit yet, and another method has none.
    expect(askFromNode(cluster === 'east' ? 'west' : 'east', cluster, '/v1/products')).toBe('200');
    expect(await ask(cluster, '/v1/products/p-1')).toMatchObject({ status: 200 });
    await askUntil(cluster, '/v1/products', 200);
  });

  test('holds for each bearer of a token on its own', async () => {
    const list = (sub: string) => () =>
      ask(cluster, '/v1/orders', { host: members, headers: bearer(token({ sub })) });
    expect(inOrder(await burst(12, list('greedy')))).toContain(429);
    expect(inOrder(await burst(4, list('modest')))).toEqual([200, 200, 200, 200]);
    expect(inOrder(await burst(12, list('greedy')))).toContain(429);
  });
});

describe('a limit at a service', () => {
  const call = {
    address: 'inventory.shop.svc.cluster.local:50051',
    path: '/shop.inventory.v1.InventoryService/GetStock',
  };
  const caller = (cluster: string, name: string): Caller => ({
    cluster,
    namespace: 'shop',
    target: `deployment/${name}`,
    container: name,
  });

  test('holds for each calling identity on its own, from both clusters, and is over in time', async () => {
    const greedy = caller('east', 'orders');
    await eventually('orders -> GetStock', status.ok, () => callMany(greedy, call)[0]!);
    await eventually('catalog -> GetStock', status.ok, () => callMany(caller('west', 'catalog'), call)[0]!);
    const started = Date.now();
    const answers = callMany(greedy, { ...call, count: 30 });
    const seconds = (Date.now() - started) / 1_000;
    expect(new Set(inOrder(answers))).toEqual(new Set([status.ok, status.resourceExhausted]));
    // The burst, and what the time since has added: one a second.
    const passed = answers.filter((answer) => answer.status === status.ok).length;
    expect(passed).toBeLessThanOrEqual(5 + Math.ceil(seconds));
    // Another identity, and another method of the same caller.
    expect(inOrder(callMany(caller('west', 'catalog'), { ...call, count: 3 }))).toEqual(['0', '0', '0']);
    const reserve = { ...call, path: '/shop.inventory.v1.InventoryService/Reserve', count: 10 };
    expect(new Set(inOrder(callMany(greedy, reserve)))).toEqual(new Set([status.ok]));
    await waitFor({ what: 'orders -> GetStock after a pause', timeoutMs: minute }, () => {
      const [answer] = callMany(greedy, call);
      return answer?.status === status.ok
        ? { done: true, value: answer }
        : { done: false, because: `status ${answer?.status ?? 'none'}` };
    });
  });
});

test.each(clusters)('Envoy refused no configuration of the ingress gateway of %s', (cluster) => {
  expect(rejectedBy(cluster)).toBeLessThanOrEqual(rejectedBefore[cluster] ?? 0);
});
