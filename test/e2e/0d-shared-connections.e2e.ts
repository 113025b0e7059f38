// Two Envoys with what the constructs render for the connections between an ingress gateway and an edge, and a server that stands
// for the HTTP gateway: no cluster. The same in a mesh is tried by 6c-streams, 7b-load and 7h-attacks.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { headOf, openRaw, type RawConnection } from '../../apps/testing/raw.ts';
import { until } from '../../apps/testing/until.ts';
import { waitFor } from '../../core/wait.ts';
import type { Envoy } from './calls/envoy.ts';
import { startSharedEdge } from './calls/shared-edge.ts';

const minute = 60_000;

/** Requests that the server holds, until they are let go. */
const held: ServerResponse[] = [];
/** Requests whose bodies the server does not read. */
let unread = 0;
let server: Server;
let envoy: Envoy;
let port: number;
const clients: RawConnection[] = [];

function serve(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/endless') {
    const part = Buffer.alloc(2 ** 16, 'x');
    const write = () => {
      while (!response.destroyed && response.write(part));
    };
    response.on('drain', write);
    write();
  } else if (request.url === '/held') {
    held.push(response);
  } else if (request.url === '/unread') {
    unread++;
  } else {
    let bytes = 0;
    request.on('data', (part: Buffer) => (bytes += part.length));
    request.on('end', () => response.end(String(bytes)));
  }
}

beforeAll(async () => {
  server = createServer(serve);
  const sockets = new WebSocketServer({ server, path: '/socket' });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      socket.send(`${data.toString()} too`);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ envoy, port } = await startSharedEdge((server.address() as AddressInfo).port));
}, 10 * minute);

afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  unread = 0;
});

afterAll(async () => {
  await envoy.stop();
  server.closeAllConnections();
  const over = once(server, 'close');
  server.close();
  await over;
});

function send(...parts: readonly (string | Buffer)[]): RawConnection {
  const connection = openRaw(port);
  clients.push(connection);
  for (const part of parts) connection.socket.write(part);
  return connection;
}

/** The length of a body, as the server answers it. */
async function post(body: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    body,
    signal: AbortSignal.timeout(20_000),
  });
  return answer.text();
}

const connectionsMade = () => envoy.counted(/^cluster\.edge\.upstream_cx_total$/);

test('many requests at once share a connection', async () => {
  const before = await connectionsMade();
  const bodies = await Promise.all(Array.from({ length: 90 }, (_, length) => post('x'.repeat(length))));
  expect(bodies).toEqual(Array.from({ length: 90 }, (_, length) => String(length)));
  expect((await connectionsMade()) - before).toBeLessThanOrEqual(1);
});

test('WebSockets go over a shared connection', async () => {
  const before = await connectionsMade();
  const sockets = Array.from({ length: 10 }, () => new WebSocket(`ws://127.0.0.1:${port}/socket`));
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  const answers = sockets.map(async (socket) => {
    const message = once(socket, 'message') as Promise<[Buffer]>;
    socket.send('me');
    return (await message)[0].toString();
  });
  expect(await Promise.all(answers)).toEqual(Array(10).fill('me too'));
  for (const socket of sockets) {
    const over = once(socket, 'close') as Promise<[number]>;
    socket.close(1000);
    expect((await over)[0]).toBe(1000);
  }
  expect((await connectionsMade()) - before).toBeLessThanOrEqual(1);
});

test('clients that read nothing of their answers hold up no other', async () => {
  for (let client = 0; client < 20; client++) send(headOf('GET', '/endless')).socket.pause();
  await waitFor({ what: 'Envoy to pause each answer', timeoutMs: minute }, async () => {
    const paused = await envoy.counted(/^cluster\.edge\.upstream_flow_control_paused_reading_total$/);
    return paused >= 20 ? { done: true, value: paused } : { done: false, because: `it paused ${paused}` };
  });
  expect(await post('abc')).toBe('3');
});

test('bodies that the server does not read hold up no other', async () => {
  const body = Buffer.alloc(2 ** 22);
  for (let client = 0; client < 20; client++)
    send(headOf('POST', '/unread', `content-length: ${body.length}`), body);
  await until(() => unread === 20);
  expect(await post('x'.repeat(100_000))).toBe('100000');
});

test('requests that are taken back, however many, cut no other', async () => {
  const kept = Array.from({ length: 5 }, () => send(headOf('GET', '/held')));
  await until(() => held.length === kept.length);
  for (let wave = 0; wave < 15; wave++) {
    const some = Array.from({ length: 80 }, () => send(headOf('GET', '/held')));
    await until(() => held.length === kept.length + 80);
    for (const { socket } of some) socket.destroy();
    const back = held.splice(kept.length);
    await until(() => back.every(({ destroyed }) => destroyed));
  }
  for (const response of held.splice(0)) response.end('kept');
  await until(() => kept.every(({ statuses }) => statuses().length > 0));
  expect(kept.map(({ statuses }) => statuses())).toEqual(kept.map(() => [200]));
  expect(await envoy.counted(/^cluster\.edge\.upstream_cx_max_requests$/)).toBeGreaterThan(3);
  expect(
    await envoy.counted(
      /too_many_premature_resets$|cluster\.edge\.upstream_cx_destroy_remote_with_active_rq$/,
    ),
  ).toBe(0);
});
