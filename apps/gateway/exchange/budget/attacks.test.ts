import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import { WebSocket } from 'ws';
import { file_conformance_v1_conformance } from '../../../../gen/conformance/v1/conformance_pb.js';
import { CatalogService } from '../../../../gen/test/catalog/v1/catalog_pb.js';
import { call, echo, json, start, stopAll } from '../../../testing/gateway.ts';
import { headOf, openRaw } from '../../../testing/raw.ts';
import type { RawConnection } from '../../../testing/raw.ts';
import { streamsService } from '../../../testing/streams.ts';
import { until } from '../../../testing/until.ts';
import { startPeer } from '../../transport/testing/scripted-server.ts';

const open: { destroy(): void }[] = [];
afterEach(async () => {
  jest.useRealTimers();
  for (const each of open.splice(0)) each.destroy();
  await stopAll();
});

const rules = {
  Get: { pattern: { case: 'get', value: '/v1/books/{name}' } },
  Create: { pattern: { case: 'post', value: '/v1/books' }, body: '*' },
} as const;
const clients = { subject: undefined, proxies: 1 };
const by = (address: string) => `x-forwarded-for: ${address}`;

/** Sends bytes, and leaves the connection open. */
function send(port: number, bytes: string): RawConnection {
  const connection = openRaw(port);
  open.push(connection.socket);
  connection.socket.write(bytes);
  return connection;
}

/** Lets the gateway's clock stand until the test moves it. */
function stopClock(): void {
  const real = ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const;
  const timers = ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const;
  jest.useFakeTimers({ doNotFake: [...real, ...timers] });
}

const post = (bytes: number, address: string) =>
  headOf('POST', '/v1/books', by(address), 'content-type: application/json', `content-length: ${bytes}`);

describe('A4: requests whose body never comes', () => {
  test('of one client leave room for others, and give way to its own new ones', async () => {
    stopClock();
    const { url, port, held } = await start({ ...echo(rules), gateway: { maxRequests: 40, clients } });
    const stuck = Array.from({ length: 60 }, () => send(port, post(10, '203.0.113.1')));
    await until(() => stuck.filter((each) => each.statuses().length > 0).length === 40);
    expect(held.requests()).toBe(20);
    expect(stuck.flatMap((each) => each.statuses())).toEqual(Array.from({ length: 40 }, () => 429));
    const other = await fetch(`${url}/v1/books/a`, { headers: { 'x-forwarded-for': '203.0.113.2' } });
    expect(other.status).toBe(200);
    jest.advanceTimersByTime(1_000);
    const own = await fetch(`${url}/v1/books/a`, { headers: { 'x-forwarded-for': '203.0.113.1' } });
    expect(own.status).toBe(200);
    await until(() => stuck.some((each) => each.statuses()[0] === 408));
    const given = stuck.find((each) => each.statuses()[0] === 408)?.text() ?? '';
    expect(given.slice(given.indexOf('{'))).toBe(
      '{"code":4,"message":"body: nothing received for 1000 ms while other requests wait","details":[]}',
    );
    for (const { socket } of stuck) socket.destroy();
    await until(() => held.requests() === 0);
  });

  test('of any number of clients give way, however they drip, but not to what is sooner', async () => {
    stopClock();
    const options = { ...echo(rules), bodyLimit: 5_000, gateway: { maxRequests: 10, clients } };
    const { url, port, held } = await start(options);
    const stuck = Array.from({ length: 10 }, (_, at) => send(port, post(5_000, `203.0.113.${at}`)));
    await until(() => held.requests() === 10);
    const get = () => fetch(`${url}/v1/books/a`, { headers: { 'x-forwarded-for': '198.51.100.1' } });
    expect((await get()).status).toBe(503);

    jest.advanceTimersByTime(900);
    for (const { socket } of stuck) socket.write(' ');
    expect((await get()).status).toBe(503);
    jest.advanceTimersByTime(100);
    expect((await get()).status).toBe(200);
    expect(held.requests()).toBeLessThan(10);
  });
});

describe('A3: what waits is bounded', () => {
  const maxBytes = 2 ** 20;

  test('bodies that stop one byte short', async () => {
    stopClock();
    const options = { ...echo(rules), bodyLimit: 100_000, gateway: { maxBytes, clients } };
    const { url, port, held } = await start(options);
    const short = Array.from({ length: 60 }, (_, at) => {
      return send(port, post(100_000, `203.0.113.${at}`) + ' '.repeat(99_999));
    });
    await until(() => short.filter((each) => each.statuses().length > 0).length >= 50);
    expect(held.bytes()).toBeLessThanOrEqual(maxBytes);
    expect(new Set(short.flatMap((each) => each.statuses()))).toEqual(new Set([503]));
    jest.advanceTimersByTime(1_000);
    const body = json({ name: 'x'.repeat(90_000) });
    expect((await call(`${url}/v1/books`, body)).status).toBe(200);
    for (const { socket } of short) socket.destroy();
    await until(() => held.bytes() === 0);
  });

  test('a WebSocket message of many fragments with pongs between', async () => {
    const { implementation } = streamsService();
    const registry = createRegistry(file_conformance_v1_conformance);
    const { url, held } = await start({
      implementation,
      registry,
      bodyLimit: 4 * 2 ** 20,
      gateway: { maxBytes },
    });
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/streams/bidi`);
    open.push({
      destroy: () => {
        socket.terminate();
      },
    });
    socket.on('error', () => undefined);
    await once(socket, 'open');
    let most = 0;
    const closed = once(socket, 'close');
    const pongs = Buffer.alloc(125);
    for (let fragment = 0; fragment < 1_000 && socket.readyState === WebSocket.OPEN; fragment++) {
      socket.send(' ', { fin: false });
      for (let pong = 0; pong < 40; pong++) socket.pong(pongs);
      await new Promise(setImmediate);
      most = Math.max(most, held.bytes());
    }
    await closed;
    expect(most).toBeLessThanOrEqual(maxBytes);
    await until(() => held.bytes() === 0 && held.streams() === 0);
  });

  test('but not pongs and pings between messages, of which nothing is kept', async () => {
    const { implementation } = streamsService();
    const registry = createRegistry(file_conformance_v1_conformance);
    const { url, held } = await start({ implementation, registry, gateway: { maxBytes } });
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/streams/bidi`);
    open.push({
      destroy: () => {
        socket.terminate();
      },
    });
    await once(socket, 'open');
    const idle = held.bytes();
    for (let frame = 0; frame < 50; frame++) {
      socket.pong(Buffer.alloc(frame));
      socket.ping(Buffer.alloc(frame));
    }
    // Answered in turn, so all before it have been read.
    socket.ping('last');
    await new Promise<void>((resolve) => {
      socket.on('pong', (payload) => {
        if (payload.toString() === 'last') resolve();
      });
    });
    expect(held.bytes()).toBe(idle);
    socket.send('{', { fin: false });
    socket.pong(Buffer.alloc(100));
    await until(() => held.bytes() > idle + 100);
  });

  test('an answer that is short in protobuf and long in JSON', async () => {
    const handlers = { listProducts: () => ({ products: Array.from({ length: 40_000 }, () => ({})) }) };
    const implementation = { service: CatalogService, handlers };
    const { url, held } = await start({ implementation, gateway: { maxBytes } });
    expect(await call(`${url}/v1/products`)).toMatchObject({
      status: 500,
      body: {
        code: 8,
        message: 'the answer takes more than the 524288 bytes that a client may hold here',
        details: [],
      },
    });
    await until(() => held.bytes() === 0);
  });

  test('answers of which the services have sent a part', async () => {
    const parts: ServerHttp2Stream[] = [];
    const peer = await startPeer((stream) => {
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(200_000, 1);
      stream.write(Buffer.concat([prefix, Buffer.alloc(100_000)]));
      parts.push(stream);
    });
    open.push({ destroy: () => void peer.stop() });
    const { port, held } = await start({
      ...echo(rules),
      address: peer.address,
      gateway: { maxBytes, clients },
    });
    const waiting = Array.from({ length: 20 }, (_, at) =>
      send(port, headOf('GET', '/v1/books/a', by(`10.0.0.${at}`))),
    );
    await until(() => waiting.filter((each) => each.statuses()[0] === 503).length === 15);
    expect(held.requests()).toBe(5);
    expect(held.bytes()).toBeGreaterThanOrEqual(1_000_000);
    for (const { socket } of waiting) socket.destroy();
    await until(() => held.bytes() === 0);
  });

  test('streams that nobody reads', async () => {
    const { implementation, seen } = streamsService();
    const registry = createRegistry(file_conformance_v1_conformance);
    const limits = { maxBytes: 3 * 2 ** 20, clients };
    const { url, port, held } = await start({ implementation, registry, gateway: limits });
    const unread = Array.from({ length: 16 }, (_, at) => {
      const connection = send(
        port,
        headOf('GET', '/v1/streams/server/4096?size=65536', by(`203.0.113.${at % 5}`)),
      );
      connection.socket.pause();
      return connection;
    });
    await until(() => held.streams() < 12 && seen.contexts.length === 16);
    expect(held.bytes()).toBeLessThanOrEqual(limits.maxBytes);
    for (const { socket } of unread) socket.destroy();
    await until(() => held.bytes() === 0);
    expect((await fetch(`${url}/v1/streams/server/1`)).status).toBe(200);
  });
});
