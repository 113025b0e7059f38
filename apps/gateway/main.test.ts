import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { descriptorsFile } from '../testing/descriptors.ts';
import { startLocal } from '../testing/local.ts';
import { freePort } from '../testing/free-port.ts';
import { startProgram } from '../testing/program.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const pod = { CLUSTER_NAME: 'east', POD_NAME: 'gateway-0' };

let descriptors: ReturnType<typeof descriptorsFile>;
beforeAll(() => {
  descriptors = descriptorsFile([CatalogService, OrdersService]);
});
afterAll(() => {
  descriptors.remove();
});

function startProcess(environment: Record<string, string>) {
  const program = startProgram('gateway', environment);
  cleanups.push(() => program.child.kill('SIGKILL'));
  return program;
}

type Line = Readonly<Record<string, unknown>>;

/** The first line of the log that is as said. */
async function lineWhere(
  { lines, reader }: ReturnType<typeof startProgram>,
  matches: (line: Line) => boolean,
): Promise<Line> {
  for (;;) {
    const found = lines.find(matches);
    if (found !== undefined) return found;
    await once(reader, 'line');
  }
}

/** The gateway as a process of its own, before a catalog. */
async function startGateway(environment: Record<string, string> = {}) {
  const handlers = { getProduct: ({ id }: { id: string }) => ({ product: { id } }) };
  const catalog = await startLocal([{ service: CatalogService, handlers }], { servedBy: 'here/pod-1' });
  cleanups.push(() => catalog.stop());
  const [http, metrics] = [await freePort(), await freePort()];
  const program = startProcess({
    ...pod,
    HTTP_PORT: String(http),
    METRICS_PORT: String(metrics),
    DESCRIPTORS: descriptors.path,
    UPSTREAMS: `${CatalogService.typeName}=${catalog.address}`,
    DRAIN_DELAY_MS: '0',
    ...environment,
  });
  await lineWhere(program, ({ message }) => message === 'serving HTTP');
  return { ...program, url: `http://127.0.0.1:${http}` };
}

test('the access log has a request soon after, also when nothing follows', async () => {
  const { url, ...program } = await startGateway();
  expect((await fetch(`${url}/v1/products/p-1`)).status).toBe(200);
  const line = await lineWhere(program, ({ message }) => message === 'request');
  expect(line).toMatchObject({ route: '/v1/products/{id}', status: 200 });
});

test('with little memory and no limits of its own the gateway starts, and says how long a body may be', async () => {
  const none = `127.0.0.1:${await freePort()}`;
  const { url } = await startGateway({
    UPSTREAMS: `${OrdersService.typeName}=${none}`,
    MAX_BYTES: '4194304',
  });
  const headers = { 'content-type': 'application/json', 'content-length': 2_015_233 };
  const announced = request(`${url}/v1/orders`, { method: 'POST', headers });
  announced.flushHeaders();
  const [answer] = (await once(announced, 'response')) as [IncomingMessage];
  expect([answer.statusCode, await json(answer)]).toEqual([
    413,
    { code: 8, message: 'body: more than 2015232 bytes', details: [] },
  ]);
  announced.destroy();
});

test('the access log has every request when SIGTERM follows at once', async () => {
  const { child, closed, lines, url } = await startGateway();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      fetch(`${url}/v1/products/p-1`, { headers: { 'x-request-id': `r-${index}` } }),
    ),
  );
  child.kill('SIGTERM');
  expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
  await Promise.all(answers.map((answer) => answer.text()));
  expect(await closed).toEqual([0, null]);
  const requests = lines.filter(({ message }) => message === 'request').map((line) => line['requestId']);
  expect(requests.sort()).toEqual(answers.map((_, index) => `r-${index}`).sort());
  expect(lines.map(({ message }) => message).filter((message) => message !== 'request')).toEqual([
    'serving HTTP',
    'draining',
    'drained',
  ]);
});

test('is connected to its services before it is ready, and ready also when one cannot be reached', async () => {
  let calls = 0;
  const peer = createHttp2Server().on('stream', () => calls++);
  const sessions: ServerHttp2Session[] = [];
  peer.on('session', (session) => sessions.push(session)).listen(0, '127.0.0.1');
  await once(peer, 'listening');
  cleanups.push(() => {
    for (const session of sessions) session.destroy();
    peer.close();
  });
  const [there, gone] = [
    `127.0.0.1:${(peer.address() as AddressInfo).port}`,
    `127.0.0.1:${await freePort()}`,
  ];
  const { url, lines } = await startGateway({
    UPSTREAMS: `${CatalogService.typeName}=${there},${OrdersService.typeName}=${gone}`,
  });
  expect([sessions.length, calls]).toEqual([1, 0]);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(lines.filter(({ level }) => level !== 'info').map(({ message }) => message)).toEqual([
    `no connection to ${gone}: connect ECONNREFUSED ${gone}`,
  ]);
});

describe('the environment', () => {
  const fatal = async (environment: Record<string, string>) => {
    const { lines, closed } = startProcess({
      ...pod,
      HTTP_PORT: '8080',
      DESCRIPTORS: descriptors.path,
      ...environment,
    });
    expect(await closed).toEqual([2, null]);
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(['fatal']));
    return lines.map(({ message }) => message);
  };

  test('limits out of their bounds: every one is named', async () => {
    const wrong = {
      ANSWER_LIMIT_BYTES: '67108865',
      CONNECT_TIMEOUT_MS: '0',
      KEEPALIVE_MS: '999',
      KEEPALIVE_TIMEOUT_MS: '10s',
    };
    expect(await fatal({ UPSTREAMS: `${CatalogService.typeName}=catalog:50051`, ...wrong })).toEqual([
      'environment: ANSWER_LIMIT_BYTES: wrong value; allowed a whole number from 1 to 67108864',
      'environment: CONNECT_TIMEOUT_MS: wrong value; allowed a whole number from 1 to 600000',
      'environment: KEEPALIVE_MS: wrong value; allowed a whole number from 1000 to 86400000',
      'environment: KEEPALIVE_TIMEOUT_MS: wrong value; allowed a whole number from 1 to 600000',
    ]);
  });

  test('a deadline above the longest one, told with what is wrong about the upstreams', async () => {
    expect(
      await fatal({ REQUEST_TIMEOUT_MS: '60001', UPSTREAMS: `${CatalogService.typeName}=catalog` }),
    ).toEqual([
      'environment: REQUEST_TIMEOUT_MS: more than REQUEST_TIMEOUT_MAX_MS; received 60001; allowed at most 60000',
      'environment: UPSTREAMS: "test.catalog.v1.CatalogService=catalog": the address is not host:port',
    ]);
  });

  test('no descriptors, or none that can be read: told with what is wrong elsewhere', async () => {
    const upstream = { UPSTREAMS: `${CatalogService.typeName}=catalog` };
    expect(await fatal({ ...upstream, DESCRIPTORS: '' })).toEqual([
      'environment: DESCRIPTORS: wrong value; allowed the path of a file with a google.protobuf.FileDescriptorSet',
    ]);
    expect(
      await fatal({ ...upstream, DESCRIPTORS: '/proc/self/none', MAX_STREAMS: '600', MAX_BYTES: '4194304' }),
    ).toEqual([
      'environment: MAX_STREAMS: exceeds what MAX_BYTES has room for, 16384 for each stream; received 600; allowed at most 256',
      'environment: DESCRIPTORS: "/proc/self/none": cannot be read: ' +
        "ENOENT: no such file or directory, open '/proc/self/none'",
      'environment: UPSTREAMS: "test.catalog.v1.CatalogService=catalog": the address is not host:port',
    ]);
  });

  test('A3: limits of one message that a client could not hold', async () => {
    const upstream = { UPSTREAMS: `${CatalogService.typeName}=catalog:50051`, MAX_BYTES: '4194304' };
    const sizes = { BODY_LIMIT_BYTES: '2015233', ANSWER_LIMIT_BYTES: '2080769', MAX_STREAMS: '257' };
    expect(await fatal({ ...upstream, ...sizes })).toEqual([
      'environment: BODY_LIMIT_BYTES: exceeds what a single client may use, half of MAX_BYTES less 81920 for a stream and gzip; received 2015233; allowed at most 2015232',
      'environment: ANSWER_LIMIT_BYTES: exceeds what a single client may use, half of MAX_BYTES less 16384 for a stream; received 2080769; allowed at most 2080768',
      'environment: MAX_STREAMS: exceeds what MAX_BYTES has room for, 16384 for each stream; received 257; allowed at most 256',
    ]);
    expect(
      await fatal({ ...upstream, TRUSTED_PROXIES: '11', SUBJECT_HEADER: 'User', MAX_BYTES: '1' }),
    ).toEqual([
      'environment: MAX_BYTES: wrong value; allowed a whole number from 1048576 to 8589934592',
      'environment: TRUSTED_PROXIES: wrong value; allowed a whole number from 0 to 10',
      'environment: SUBJECT_HEADER: wrong value; allowed a header x-... in lower case',
    ]);
  });
});

describe('limits of the way to services', () => {
  const name = 'test.catalog.v1.CatalogService/GetProduct';

  /** What the client is told, and what the log says of it. */
  async function failure(environment: Record<string, string>) {
    const { url, ...program } = await startGateway(environment);
    const answer = await fetch(`${url}/v1/products/p-1`);
    const warned = await lineWhere(program, ({ method }) => method === name);
    return { status: answer.status, body: await answer.json(), warned: warned['message'] };
  }

  /** UPSTREAMS before a server that does what is told with each connection. */
  async function upstream(onSocket: (socket: Socket) => void) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      onSocket(socket.resume());
    }).listen(0, '127.0.0.1');
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { address, UPSTREAMS: `${CatalogService.typeName}=${address}` };
  }

  test('B6: ANSWER_LIMIT_BYTES: an answer that is too long is no rate limit', async () => {
    expect(await failure({ ANSWER_LIMIT_BYTES: '4' })).toEqual({
      status: 500,
      body: {
        code: 8,
        message: `${name}: a message of 7 bytes was received; allowed at most 4`,
        details: [],
      },
      warned: 'a message of 7 bytes was received; allowed at most 4',
    });
  });

  test('CONNECT_TIMEOUT_MS', async () => {
    const { address, UPSTREAMS } = await upstream(() => undefined);
    expect(await failure({ UPSTREAMS, CONNECT_TIMEOUT_MS: '50' })).toEqual({
      status: 503,
      body: { code: 14, message: `${name}: UNAVAILABLE`, details: [] },
      warned: `no connection to ${address}: not established within 50 ms`,
    });
  });

  test('KEEPALIVE_MS and KEEPALIVE_TIMEOUT_MS', async () => {
    const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const { UPSTREAMS } = await upstream((socket) => socket.write(emptySettings));
    const keepalive = { KEEPALIVE_MS: '1000', KEEPALIVE_TIMEOUT_MS: '50', REQUEST_TIMEOUT_MS: '60000' };
    expect(await failure({ UPSTREAMS, ...keepalive })).toEqual({
      status: 503,
      body: { code: 14, message: `${name}: UNAVAILABLE`, details: [] },
      warned: 'connection lost: no answer to a PING within 50 ms',
    });
  });
});
