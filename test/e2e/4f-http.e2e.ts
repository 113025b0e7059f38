// A server of others over plain HTTP, NATS' own with its pages of monitoring, as an HttpService. Needs Go to build it once.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Caller } from './calls/call.ts';
import { ask, askUntil, bearer, readAddress, rejectedBy, theirs, token } from './calls/edge.ts';
import type { Outsider } from './calls/outside.ts';
import { removeStrangers, startStrangers } from './calls/strangers.ts';
import { make, rightly, type WebAnswer } from './calls/web.ts';
import { kubectl } from './checkout/lab.ts';
import { idIn, scale, serverId } from './meshes/brokers.ts';
import { frontProject, members, request, www } from './meshes/front.ts';
import { readerImage, readerIn, upWithNats } from './meshes/nats.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
jest.setTimeout(5 * minute);

const project = frontProject();
const denied = { status: 403, body: 'RBAC: access denied' };
let brought: Awaited<ReturnType<typeof project.run>>;
let intruder: Caller;
let outsider: Outsider;
const rejectedBefore: Record<string, number> = {};

beforeAll(async () => {
  brought = await upWithNats(project);
  if (brought.code !== 0) return;
  for (const cluster of clusters) {
    readAddress(cluster);
    rejectedBefore[cluster] = rejectedBy(cluster);
  }
  ({ intruder, outsider } = startStrangers('west', readerImage('west')));
}, 60 * minute);

afterAll(() => {
  removeStrangers('west');
  project.remove();
});

/** Ids of the servers that answered. */
const ids = (answers: readonly WebAnswer[]) => [...new Set(answers.map(({ body }) => serverId(body)))];
const isOf = (id: string) => (answer: WebAnswer) => serverId(answer.body) === id;

test('up brings it up, and proves by requests that its callers get there, and nobody from outside without a token', () => {
  expect(brought).toMatchObject({ code: 0 });
  for (const cluster of clusters) {
    expect(brought.stdout).toContain(
      `reader in ${cluster} gets to front over HTTP: GET /varz of front answered with 200`,
    );
    expect(brought.stdout).toContain(
      `requests to www through ${cluster} are answered by front: 11 of 11 each`,
    );
    expect(brought.stdout).toContain(
      `requests without a token to members through ${cluster} do not get to front`,
    );
    expect(brought.stdout).toMatch(
      new RegExp(
        `refused in ${cluster}: .*connected to http://front\\.shop\\.svc\\.cluster\\.local:80, then: `,
      ),
    );
  }
  expect(brought.stdout).toContain(
    "auditor in west gets to front over HTTP: front's proxy knows it, and refuses what is not granted",
  );
});

describe('a caller with a grant', () => {
  test.each(clusters)('in %s gets to the server of its own cluster, by every request', async (cluster) => {
    const own = idIn(cluster, 'front');
    const what = `front answers its caller in ${cluster} by its own server`;
    const seen = await rightly(what, readerIn(cluster, 'reader'), request('GET', '/varz'), isOf(own), 20);
    expect(ids(seen)).toEqual([own]);
  });

  test('gets what is below a beginning, and this path in any spelling that is the same', () => {
    const reader = readerIn('west', 'reader');
    const [below, query, ...same] = make(
      reader,
      ...['/public/a/b', '/varz?x=/../y', '/%76arz', '//varz', '/public/../varz'].map((path) =>
        request('GET', path),
      ),
    );
    // The server itself has no such page.
    expect(below).toMatchObject({ status: 404 });
    expect(below).not.toEqual(denied);
    for (const answer of [query!, ...same]) expect(serverId(answer.body)).toBe(idIn('west', 'front'));
    expect(make(readerIn('west', 'auditor'), request('HEAD', '/varz'))).toEqual([{ status: 200, body: '' }]);
  });
});

describe('a caller without the grant', () => {
  test('of the verb, or of the path, is refused', () => {
    const asked = [
      ...['POST', 'HEAD', 'DELETE', 'TRACE'].map((verb) => request(verb, '/varz')),
      ...['/connz', '/varz/', '/varzz', '/public', '/', '/VARZ'].map((path) => request('GET', path)),
    ];
    const answers = make(readerIn('west', 'reader'), ...asked);
    // An answer to HEAD has no body.
    expect(answers).toEqual(
      asked.map(({ verb }) => ({ ...denied, ...(verb === 'HEAD' ? { body: '' } : {}) })),
    );
    const [one, two] = make(readerIn('west', 'auditor'), request('HEAD', '/a/b'), request('GET', '/varz'));
    expect([one, two]).toEqual([{ status: 403, body: '' }, denied]);
  });

  test.each([
    '/public/../connz',
    '/public/%2e%2e/connz',
    '/public/%2E./connz',
    '/public//../../connz',
    '/public/..\\connz',
    '/public/..%2fconnz',
    '/public/..%2Fconnz',
    '/public/%2e%2e%2fconnz',
    '/public/..%5cconnz',
    '/public/x%252f..%252f..%252fconnz',
    '/public/;/connz',
    '/public/..;/connz',
    '/public/..;x=1/connz',
    '/public/%2e%2e;/connz',
    '/public/..%3b/connz',
    '/public/..%252f/connz',
  ])('gets to no other page by %s', (path) => {
    expect(make(readerIn('west', 'reader'), request('GET', path))).toEqual([denied]);
  });

  test('of any, with an identity of the mesh, is refused; and without an identity gets nothing at all', () => {
    expect(make(intruder, request('GET', '/varz'))).toEqual([denied]);
    const pod = ['-n', 'shop', 'get', 'pods', '-l', 'app.kubernetes.io/name=front', '-o'];
    const address = kubectl('west', ...pod, 'jsonpath={.items[0].status.podIP}');
    for (const asked of [request('GET', '/varz'), request('GET', '/varz', address, 8222)])
      expect(make(outsider.caller, asked)).toMatchObject([{ status: 0 }]);
  });
});

describe.each(clusters)('from outside, through the ingress gateway of %s', (cluster) => {
  test('the front is what no method is, at its host alone', async () => {
    const own = idIn(cluster, 'front');
    const answer = await askUntil(cluster, '/varz', 200, { host: www }, 8);
    expect(serverId(answer.body)).toBe(own);
    const list = await askUntil(cluster, '/v1/products', 200, { host: www });
    expect(list.headers['x-served-by']).toMatch(new RegExp(`^${cluster}/catalog-`));
    // The paths of methods are theirs, whatever the spelling and the verb.
    for (const path of ['/v1/%70roducts', '/v1//products', '/x/../v1/products'])
      expect((await ask(cluster, path, { host: www })).headers['x-served-by']).toContain('catalog');
    expect(await ask(cluster, '/v1/products', { host: www, method: 'DELETE' })).toMatchObject(denied);
    // What the service has beside, and what is the server's own to say.
    expect(await ask(cluster, '/v1/products/', { host: www })).toMatchObject({ status: 404 });
    expect(await ask(cluster, '/varz', { host: www, method: 'POST' })).toMatchObject(denied);
    expect(await ask(cluster, '/varz')).toMatchObject({ status: 403 });
    expect(await ask(cluster, '/connz', { host: members, headers: bearer(token()) })).toMatchObject(denied);
  });

  test('a page that asks for a token is nobody’s without one, and the other is everybody’s', async () => {
    const asked = { host: members, headers: bearer(token()) };
    expect(serverId((await askUntil(cluster, '/varz', 200, asked, 8)).body)).toBe(idIn(cluster, 'front'));
    expect(await ask(cluster, '/varz', { host: members })).toMatchObject(denied);
    const forged = bearer(token({}, theirs.privateKey));
    expect(await ask(cluster, '/varz', { host: members, headers: forged })).toMatchObject({ status: 401 });
    expect(await ask(cluster, '/healthz', { host: members })).toMatchObject({ status: 200 });
  });

  test('no spelling is a way past a policy, no upgrade gets in, and nothing that says it is gRPC', async () => {
    for (const path of ['/x/..%3b/varz', '/x/..%2fvarz', '/x%5c..'])
      expect(await ask(cluster, path, { host: www })).toMatchObject(denied);
    for (const path of ['/healthz/../varz', '/healthz/%2e%2e/varz', '//varz'])
      expect(await ask(cluster, path, { host: members })).toMatchObject(denied);
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket' };
    expect(await ask(cluster, '/varz', { host: www, headers: upgrade })).toMatchObject(denied);
    const grpc = { 'content-type': 'application/grpc', 'grpc-timeout': '1m' };
    expect((await ask(cluster, '/varz', { host: www, headers: grpc })).headers['grpc-status']).toBe('7');
  });
});

test('Envoy takes all that istiod sends it', () => {
  for (const cluster of clusters)
    expect([cluster, rejectedBy(cluster)]).toEqual([cluster, rejectedBefore[cluster]]);
});

test('where its pods of a cluster are gone, the other cluster answers, for callers of the mesh and from outside', async () => {
  const other = idIn('west', 'front');
  const own = idIn('east', 'front');
  scale('east', 'front', 0);
  const seen = await rightly(
    'front in the west',
    readerIn('east', 'reader'),
    request('GET', '/varz'),
    isOf(other),
    20,
  );
  expect(ids(seen)).toEqual([other]);
  expect(serverId((await askUntil('east', '/varz', 200, { host: www }, 8)).body)).toBe(other);
  scale('east', 'front', 1);
  const back = idIn('east', 'front');
  expect(back).not.toBe(own);
  await rightly('front is back in the east', readerIn('east', 'reader'), request('GET', '/varz'), isOf(back));
});
