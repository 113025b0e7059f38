import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { MeshModel } from '../../../charts/model/mesh-model.ts';
import { withProject } from '../../../charts/testing/project.ts';
import { ordersIn, redisIn, type Shop } from '../../../charts/testing/foreign.ts';
import { twoClusters } from '../../../charts/testing/mesh.ts';
import { run } from '../../../core/run.ts';
import { proofsOf } from '../all.ts';
import { readAnswers } from './answers.ts';
import { connecting } from './connections.ts';
import { judge } from './in-their-name.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A server on loopback. */
async function serving(take: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    open.push(() => socket.destroy());
    take(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const waits = { limit: 1_000, greeting: 300, greeted: 300, quiet: 1_000 };
const connect = async (...ports: readonly number[]) => {
  const targets = ports.map((port) => ({ host: '127.0.0.1', port }));
  const args = [targets, waits].map((arg) => JSON.stringify(arg));
  const { stdout } = await run(process.execPath, ['-e', connecting.program, ...args]);
  return readAnswers(connecting.answers, stdout);
};

test('a server listens when the connection lasts after a byte, or is answered', async () => {
  const waiting = await serving(() => undefined);
  const greeting = await serving((socket) => socket.write('220 ready'));
  const answering = await serving((socket) => socket.on('data', () => socket.end('ERROR')));
  expect(await connect(waiting, greeting, answering)).toEqual([
    { outcome: 'open', greeted: false, why: '' },
    { outcome: 'open', greeted: true, why: '' },
    { outcome: 'answered', greeted: false, why: '' },
  ]);
});

test('a proxy that reaches no server, or whose policy refuses the caller, closes the connection', async () => {
  const away = await serving((socket) => socket.end());
  // As Envoy's RBAC filter for TCP does, in front of a server that speaks first, and of one that does not.
  const refusing = await serving((socket) => socket.on('data', () => socket.destroy()));
  const afterGreeting = await serving((socket) => {
    socket.write('220 ready');
    socket.on('data', () => socket.destroy());
  });
  const late = await serving((socket) => setTimeout(() => socket.destroy(), 900));
  const answers = (await connect(away, refusing, afterGreeting, late)) ?? [];
  expect(answers.map(({ outcome, greeted }) => ({ outcome, greeted }))).toEqual([
    { outcome: 'closed', greeted: false },
    { outcome: 'closed', greeted: false },
    { outcome: 'closed', greeted: true },
    { outcome: 'closed', greeted: false },
  ]);
});

/** The model of a mesh with this in its namespace shop. */
function model(declare: (shop: Shop) => unknown): MeshModel {
  return withProject({}, (root) => {
    const mesh = twoClusters(root);
    declare(mesh.namespace('shop'));
    return mesh.model();
  });
}
const titles = (mesh: MeshModel) => proofsOf(mesh).kept.map(({ title }) => title);

test('each caller is tried in each of its clusters, with all ports that it may connect to', () => {
  const mesh = model((shop) => {
    const redis = redisIn(shop);
    ordersIn(shop, ['west']).calls(redis.port.redis, redis.port.redis);
  });
  expect(titles(mesh)).toEqual(['orders in west connects to redis:redis']);
  expect(mesh.workloads.find(({ name }) => name === 'orders')?.connects).toEqual([
    { workload: 'redis', namespace: 'shop', name: 'redis', port: 6379 },
  ]);
});

test('nobody is asked for what has no pods', () => {
  const mesh = model((shop) => {
    ordersIn(shop).calls(redisIn(shop, { replicas: 0 }).port.redis);
  });
  expect(titles(mesh)).toEqual([]);
});

test('what was seen is told of each port, and what was not is a problem with its fix', () => {
  const to = (name: string, port: number) => ({
    to: { workload: 'redis', namespace: 'shop', name, port },
    title: `redis:${name}`,
  });
  const at = { caller: { name: 'orders' }, cluster: 'west', where: 'orders in west', pod: 'shop/p' };
  const targets = [to('redis', 6379), to('bus', 7000), to('metrics', 9121)];
  const printed = (...answers: readonly object[]) => `connections: ${JSON.stringify(answers)}`;
  const why = '';
  expect(
    judge(
      connecting,
      at,
      targets,
      printed(
        { outcome: 'open', greeted: false, why },
        { outcome: 'open', greeted: true, why },
        { outcome: 'answered', greeted: false, why },
      ),
    ),
  ).toBe('redis:redis listens, redis:bus greets it and listens, redis:metrics answers');
  const said = (text: string) => () => judge(connecting, at, targets, text);
  const fix =
    'fix: look whether redis has ready pods, and listens there on all addresses of its pod, not on 127.0.0.1 alone';
  expect(
    said(
      printed(
        { outcome: 'closed', greeted: false, why: 'ECONNRESET' },
        { outcome: 'closed', greeted: true, why: 'the connection was closed' },
        { outcome: 'open', greeted: false, why },
      ),
    ),
  ).toThrow(
    'orders in west connects to redis:redis, port 6379: the connection gets to no server, or is closed at the first byte that it sends; ' +
      `received "ECONNRESET"; allowed a connection that stays open, or an answer; ${fix}\n` +
      'orders in west connects to redis:bus, port 7000: the server greets it, and the connection is closed at the first byte that it sends; ' +
      `received "the connection was closed"; allowed a connection that stays open, or an answer; ${fix}`,
  );
  expect(said('Segmentation fault')).toThrow(
    'orders in west: its probe, pod shop/p, did not say how its connections went; received "Segmentation fault"',
  );
});
