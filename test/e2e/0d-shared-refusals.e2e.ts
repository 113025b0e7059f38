// The two Envoys of 0d-shared-connections, with what the DestinationRule of an edge says of pods that fail: requests and answers that
// HTTP/1.1 allows and HTTP/2 does not, too many headers, and answers that are cut, beside requests that share the connections.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { headOf, openRaw, type RawConnection } from '../../apps/testing/raw.ts';
import { until } from '../../apps/testing/until.ts';
import { clientHead } from '../../charts/constructs/edge/shared-connections.ts';
import type { Envoy } from './calls/envoy.ts';
import { startSharedEdge } from './calls/shared-edge.ts';

const minute = 60_000;

/** Requests that the server holds, until they are let go. */
let held: ServerResponse[] = [];
/** Answers that it has begun. */
let begun: ServerResponse[] = [];
let server: Server;
let envoy: Envoy;
let port: number;
let bare: number;
const clients: RawConnection[] = [];

function serve(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.url === '/held') held.push(response);
  else if (request.url === '/begun') {
    begun.push(response);
    response.write('.');
  } else if (request.url === '/headers') {
    for (let at = 0; at < 95; at++) response.setHeader(`x-of-service-${at}`, 'a');
    response.end('ok');
  } else response.end('ok');
}

beforeAll(async () => {
  // So that it answers whatever head comes through.
  server = createServer({ maxHeaderSize: 2 ** 20 }, serve);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ envoy, port, bare } = await startSharedEdge((server.address() as AddressInfo).port));
}, 10 * minute);

afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  held = [];
  begun = [];
});

afterAll(async () => {
  await envoy.stop();
  server.closeAllConnections();
  const over = once(server, 'close');
  server.close();
  await over;
});

function send(bytes: string, to = port): RawConnection {
  const connection = openRaw(to);
  clients.push(connection);
  connection.socket.write(Buffer.from(bytes, 'latin1'));
  return connection;
}

const answered = async (some: readonly RawConnection[]): Promise<readonly number[][]> => {
  await until(() => some.every(({ statuses }) => statuses().length > 0));
  return some.map(({ statuses }) => statuses());
};

/** Has some requests answered beside held ones, which get their answers after them: the statuses of both. */
async function beside(requests: readonly string[], to = port) {
  const kept = Array.from({ length: 5 }, () => send(headOf('GET', '/held')));
  await until(() => held.length === kept.length);
  const got = await answered(requests.map((request) => send(request, to)));
  for (const response of held.splice(0)) response.end('kept');
  return { kept: await answered(kept), got };
}

const unharmed = Array<number[]>(5).fill([200]);
const ejections = () => envoy.counted(/^cluster\.edge\.outlier_detection\.ejections_active$/);
const broken = () => envoy.counted(/^cluster\.edge\.upstream_cx_destroy_(local|remote)_with_active_rq$/);

const body = (length: string) => headOf('POST', '/', `content-length: ${length}`);
const upgrade = ['upgrade: websocket', 'connection: upgrade'];
const noHost = (...headers: string[]) => ['GET / HTTP/1.1', ...headers, '', ''].join('\r\n');

test.each<[string, string]>([
  ['an empty Host', noHost('host:')],
  ['a Host of blanks', noHost('host:  ')],
  ['two empty Hosts', noHost('host:', 'host:')],
  ['an empty Host for a WebSocket', noHost('host:', ...upgrade)],
  ['a Host with user information', noHost('host: a@b')],
  ['an empty TE', headOf('GET', '/', 'te:')],
  ['a length of 2^63', body('9223372036854775808')],
  ['a length of 2^64 - 1', body('18446744073709551615')],
])('%s, which nghttp2 refuses, is refused by the gateway and harms nobody', async (_, request) => {
  const { kept, got } = await beside(Array<string>(20).fill(request));
  expect(got).toEqual(Array(20).fill([403]));
  expect(kept).toEqual(unharmed);
  expect([await ejections(), await broken()]).toEqual([0, 0]);
});

test('what nghttp2 refuses ends its own stream alone, when a gateway lets it pass', async () => {
  for (let time = 0; time < 10; time++) {
    const { kept, got } = await beside([noHost('host:')], bare);
    expect(kept).toEqual(unharmed);
    expect(got).toEqual([[502]]);
  }
  expect([await ejections(), await broken()]).toEqual([0, 0]);
});

test('whatever else may be odd in a request harms nobody', async () => {
  const requests = [
    ...['gzip', 'trailers, deflate;q=0.5', 'trailers;q=0', 'TRAILERS'].map((te) =>
      headOf('GET', '/', `te: ${te}`),
    ),
    ...['a b', 'a"', '{a}', 'a%zz', '[::1', ',', ':80', '\xe9', 'a/b', 'a#b', 'a\\b'].map((host) =>
      noHost(`host: ${host}`),
    ),
    ...['+2', '2, 2', '', '-1'].map(body),
    headOf('GET', '/', 'upgrade: foo'),
    headOf('GET', '/', 'upgrade: foo', 'connection: upgrade'),
    headOf('GET', '/', 'upgrade: h2c', 'connection: upgrade, http2-settings', 'http2-settings: AAMAAABk'),
    headOf('GET', '/', 'connection: keep-alive', 'keep-alive: 5', 'proxy-connection: x'),
    headOf('GET', '/', 'connection: host, content-length'),
    headOf('GET', '/', 'upgrade: websocket, foo', 'connection: upgrade'),
    ...['\x01', '\x7f', '\xff', '\x0b', ' \t '].map((value) => headOf('GET', '/', `x: ${value}`)),
    ...[':path', ':authority', ':protocol', '', 'a(b', 'a ', '\xe9'].map((name) =>
      headOf('GET', '/', `${name}: x`),
    ),
    ...['/\xe9', '/\x01', '/a#b', '*', 'http:///x', 'http://u:p@a/x', 'ftp://a/x'].map((target) =>
      headOf('GET', target),
    ),
    ...['get', 'FOO', 'PRI', 'TRACE', 'CONNECT'].map((method) => headOf(method, '/')),
    headOf('GET', '/', 'x-forwarded-proto: a b', 'x-forwarded-host:'),
    `${headOf('POST', '/', 'transfer-encoding: chunked')}1\r\na\r\n0\r\nconnection: x\r\nte: gzip\r\n\r\n`,
  ];
  const { kept, got } = await beside(requests);
  // 502 is what the gateway answers when the proxy beside the edge ends the stream.
  expect(requests.filter((_, at) => got[at]!.some((status) => status >= 500))).toEqual([]);
  expect(kept).toEqual(unharmed);
  expect([await ejections(), await broken()]).toEqual([0, 0]);
});

const headers = (count: number, value: string) =>
  headOf('GET', '/', ...Array.from({ length: count }, (_, at) => `x-${at}: ${value}`));

test('as many headers as the gateway takes reach the server, and more are refused by it', async () => {
  for (let count = clientHead.headers - 10; count <= clientHead.headers; count++) {
    const { kept, got } = await beside(Array<string>(20).fill(headers(count, 'a')));
    // With its Host a request has one more.
    expect(got).toEqual(Array(20).fill([count < clientHead.headers ? 200 : 431]));
    expect(kept).toEqual(unharmed);
  }
  expect([await ejections(), await broken()]).toEqual([0, 0]);
});

test('as long a head as the gateway takes reaches the server, and a longer one is refused by it', async () => {
  const seen = new Set<number>();
  for (let less = -200; less <= 1_000; less += 50) {
    const each = Math.floor((clientHead.kib * 2 ** 10 - less) / 16) - 'x-10'.length;
    const { kept, got } = await beside(Array<string>(6).fill(headers(16, 'x'.repeat(each))));
    for (const [status] of got) seen.add(status!);
    expect(kept).toEqual(unharmed);
  }
  expect([...seen].toSorted()).toEqual([200, 431]);
  expect([await ejections(), await broken()]).toEqual([0, 0]);
});

test('as many headers as the proxy beside the edge takes in an answer reach the client', async () => {
  const { kept, got } = await beside(Array<string>(20).fill(headOf('GET', '/headers')));
  expect(got).toEqual(Array(20).fill([200]));
  expect(kept).toEqual(unharmed);
  expect(await ejections()).toBe(0);
});

test('when answers that are cut take the last pod out of use, requests go to it all the same', async () => {
  const kept = Array.from({ length: 5 }, () => send(headOf('GET', '/held')));
  const cut = Array.from({ length: 20 }, () => send(headOf('GET', '/begun')));
  await until(() => held.length === 5 && begun.length === cut.length);
  for (const response of begun) response.destroy();
  await Promise.all(cut.map(({ ended }) => ended));
  expect(await ejections()).toBe(1);
  expect(await answered(Array.from({ length: 20 }, () => send(headOf('GET', '/'))))).toEqual(
    Array(20).fill([200]),
  );
  for (const response of held) response.end('kept');
  expect(await answered(kept)).toEqual(unharmed);
});
