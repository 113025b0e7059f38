import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { frontIn, ordersIn, redisIn, type Shop } from '../../../charts/testing/foreign.ts';
import { jwt } from '../../../charts/testing/edge.ts';
import { catalogIn, twoClusters } from '../../../charts/testing/mesh.ts';
import { withProject } from '../../../charts/testing/project.ts';
import { HttpEdge } from '../../../charts/constructs/edge/http-edge.ts';
import { Job } from '../../../charts/constructs/jobs/job.ts';
import type { MeshModel } from '../../../charts/model/mesh-model.ts';
import { run } from '../../../core/run.ts';
import { proofsOf } from '../all.ts';
import { call } from '../http.ts';
import { readAnswers } from './answers.ts';
import { judge } from './in-their-name.ts';
import { requesting, type ProbeRequest } from './requests.ts';
import { notAnswered, notRefused } from '../reads.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const denial = 'RBAC: access denied';

/** A server on loopback. */
async function serving(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const making = async (...requests: readonly Omit<ProbeRequest, 'host'>[]) => {
  const args = [requests.map((one) => ({ host: '127.0.0.1', ...one })), 500].map((arg) =>
    JSON.stringify(arg),
  );
  const { stdout } = await run(process.execPath, ['-e', requesting.program, ...args]);
  return readAnswers(requesting.answers, stdout);
};

test('the program says what each request was answered, also where the answer never ends', async () => {
  let asked = 0;
  const port = await serving(({ method, url }, response) => {
    if (url === '/events') response.write('x'.repeat(300));
    else if (url === '/quiet') response.writeHead(200).flushHeaders();
    else if (url === '/late' && ++asked < 3) response.writeHead(503).end('no healthy upstream');
    else if (method === 'TRACE') response.writeHead(403).end(denial);
    else response.writeHead(404).end('no such page');
  });
  const away = { port: 9, verb: 'GET', path: '/', answeredBy: 'service' } as const;
  const read = { port, verb: 'GET', answeredBy: 'service' } as const;
  expect(
    await making(
      { ...read, path: '/late' },
      { ...read, path: '/events' },
      { ...read, path: '/quiet' },
      { ...read, verb: 'TRACE', path: '/', answeredBy: 'proxy' },
      away,
    ),
  ).toEqual([
    { status: 404, body: 'no such page' },
    { status: 200, body: 'x'.repeat(200) },
    { status: 200, body: '' },
    { status: 403, body: denial },
    { status: 0, body: 'ECONNREFUSED' },
  ]);
  expect(readAnswers(requesting.answers, 'something else')).toBeUndefined();
  expect(readAnswers(requesting.answers, 'requests: [{}]')).toBeUndefined();
});

const to = { workload: 'front', namespace: 'shop', port: 80 };
const targets = [
  { to: { ...to, verb: 'GET', path: '/health', answeredBy: 'service' } as const, title: 'front' },
  { to: { ...to, workload: 'back', verb: 'TRACE', path: '/', answeredBy: 'proxy' } as const, title: 'back' },
];
const at = { caller: { name: 'orders' }, cluster: 'east', where: 'orders in east', pod: 'shop/p' };
const judged = (...answers: readonly object[]) =>
  judge(requesting, at, targets, `requests: ${JSON.stringify(answers)}`);

test('what was seen is told; what is not as it should be fails with all that is', () => {
  expect(judged({ status: 404, body: '' }, { status: 403, body: denial })).toBe(
    "GET /health of front answered with 404, back's proxy knows it, and refuses what is not granted",
  );
  expect(() => judged({ status: 503, body: 'no healthy upstream' }, { status: 200, body: 'hello' })).toThrow(
    'orders in east calls front, GET /health: the request is not answered by the service, where it should be; received "503 no healthy upstream"; ' +
      'allowed any answer but 502, 503 and 504; fix: look whether front has ready pods, and listens there on all addresses of its pod, not on 127.0.0.1 alone\n' +
      'orders in east calls back, TRACE /: the request, which back grants to nobody, is not refused by its proxy; received "200 hello"; ' +
      'allowed 403 RBAC: access denied',
  );
  expect(() => judged({ status: 403, body: denial }, { status: 0, body: 'ECONNRESET' })).toThrow(
    'received "403 RBAC: access denied"',
  );
  expect(() => judged({ status: 200, body: '' })).toThrow(
    'orders in east: its probe, pod shop/p, did not say what it was answered; received "requests: [{\\"status\\":200,\\"body\\":\\"\\"}]"',
  );
});

const modelOf = (declare: (shop: Shop) => void): MeshModel =>
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    declare(mesh.namespace('shop'));
    return mesh.model();
  });

describe('up proves', () => {
  const model = modelOf((shop) => {
    const front = frontIn(shop);
    ordersIn(shop, ['east']).calls(front.route('GET', '/health'));
    redisIn(shop).calls(front.route('POST', '/carts'));
    new Job(shop, 'report', { image: 'report:1.0.0', placement: ['west'] }).calls(
      front.route('GET', '/health'),
    );
    const [page, own] = [front.route('GET', '/*'), front.route('PUT', '/carts/{*}')];
    const expose = [catalogIn(shop).method.getProduct, page, own, front.route('GET', '/account')];
    new HttpEdge(shop, 'edge', { expose, hosts: ['www.example'], jwt: { ...jwt, except: [] } });
    new HttpEdge(shop, 'open', { expose: [page], hosts: ['open.example'] });
  });

  test('that each caller gets to its services, once for each state of the mesh', () => {
    const titles = proofsOf(model).kept.map(({ title }) => title);
    expect(titles.filter((title) => title.includes('over HTTP'))).toEqual([
      'orders in east gets to front over HTTP',
      'redis in east gets to front over HTTP',
      'redis in west gets to front over HTTP',
      'report in west gets to front over HTTP',
    ]);
  });

  test('that edges are answered, and let nobody in without a token, at every up', () => {
    const titles = proofsOf(model).steady.map(({ title }) => title);
    expect(titles.filter((title) => title.startsWith('requests'))).toEqual([
      'requests without a token to edge through east do not get to front',
      'requests without a token to edge through west do not get to front',
      'requests to open through east are answered by front',
      'requests to open through west are answered by front',
    ]);
  });
});

test('an answer at an edge is one when its head is there, whether it ends or not', async () => {
  const port = await serving((_, response) => {
    response.writeHead(200, { 'x-served-by': 'east/front-1' }).write('data: 1\n\n');
  });
  const base = `http://127.0.0.1:${port}`;
  expect(await call(base, { path: '/events' })).toEqual({
    ...{ status: 200, servedBy: 'east/front-1', body: 'data: 1\n\n', upstream: false },
  });
}, 20_000);

test('an answer of a service is one that came from behind the gateway, and no proxy made', () => {
  const answer = { status: 404, servedBy: '', body: 'no such page', upstream: true };
  expect(notAnswered(answer)).toBeUndefined();
  expect(notAnswered({ ...answer, upstream: false })).toBe('no service answered');
  expect(notAnswered({ ...answer, status: 403, body: denial })).toBe("the service's proxy refused it");
  expect(notAnswered({ ...answer, status: 503 })).toBe('the service is not reached');
  expect(notRefused({ ...answer, status: 403, body: denial, upstream: false })).toBeUndefined();
  expect(notRefused({ ...answer, status: 403, body: denial })).toBe('it was not refused by the gateway');
  expect(notRefused(answer)).toBe('it was not refused by the gateway');
});
