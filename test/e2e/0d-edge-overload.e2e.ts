// Envoy itself, in the memory of an ingress gateway's container and with the limits that ingress gateways are given, filled to
// them: no cluster.
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../apps/testing/free-port.ts';
import { openRaw } from '../../apps/testing/raw.ts';
import { clientHead } from '../../charts/constructs/edge/shared-connections.ts';
import { edgeProxy } from '../../charts/constructs/gateways/edge-proxy.ts';
import { capacityOf, overloadBootstrap } from '../../charts/constructs/gateways/overload.ts';
import { lab } from '../../charts/platforms.ts';
import { waitFor } from '../../core/wait.ts';
import { cluster, listener, startEnvoy, valueOf, type Envoy } from './calls/envoy.ts';
import { makeMemoryGroup, type MemoryGroup } from './load/cgroup.ts';

const minute = 60_000;
const { memory } = lab.gateway.limits;
const capacity = capacityOf(memory);
/** What is left of the container's memory beside Istio's agent. */
const limit = (512 - 64) * 2 ** 20;

// SOL_SOCKET and its options, of Linux.
const [solSocket, soSndbuf, soRcvbuf] = [1, 7, 8];
const buffer = (name: number) => ({
  ...{ level: solSocket, name, int_value: 16 * 2 ** 10 },
  state: 'STATE_PREBIND',
});

let group: MemoryGroup;
let envoy: Envoy;
let port: number;
/** Answers `GET /ok`, and neither reads nor answers anything else. */
let server: Server;
const served = new Set<Socket>();
const sessions: ClientHttp2Session[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  expect(memory).toBe('512Mi');
  server = createServer((socket) => {
    served.add(socket);
    socket.on('error', () => undefined).on('close', () => served.delete(socket));
    socket.once('data', (head: Buffer) => {
      if (head.subarray(0, 8).toString() === 'GET /ok ')
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      else socket.pause();
    });
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1_000 });
  await once(server, 'listening');
  const { port: upstream } = server.address() as { readonly port: number };
  port = await freePort();
  group = makeMemoryGroup(limit);
  const patches = edgeProxy({}, 300_000);
  const settings = valueOf(patches, 'NETWORK_FILTER')['typed_config'] as object;
  const forward = { route: { cluster: 'server', timeout: '0s' } };
  const config = {
    // As Istio's bootstrap has it.
    overload_manager: {
      resource_monitors: [
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
            max_active_downstream_connections: capacity.connections,
          },
        },
      ],
    },
    static_resources: {
      listeners: [
        {
          ...valueOf(patches, 'LISTENER'),
          // Little waits in the kernel, so that what waits, waits in Envoy.
          socket_options: [buffer(soRcvbuf)],
          ...listener('gateway', port, settings, [valueOf(patches, 'HTTP_FILTER')], forward),
        },
      ],
      clusters: [
        {
          ...cluster('server', upstream),
          ...valueOf(patches, 'CLUSTER'),
          upstream_bind_config: {
            source_address: { address: '127.0.0.1', port_value: 0 },
            socket_options: [buffer(soSndbuf)],
          },
          // Of a machine on which much else runs.
          connect_timeout: '60s',
          // As Istio has them: what is refused here is not refused for them.
          circuit_breakers: {
            thresholds: [
              Object.fromEntries(
                ['max_connections', 'max_pending_requests', 'max_requests', 'max_retries'].map((key) => [
                  key,
                  4_294_967_295,
                ]),
              ),
            ],
          },
        },
      ],
    },
  };
  envoy = await startEnvoy(config, overloadBootstrap(capacity), group.enter);
}, 10 * minute);

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const socket of served) socket.destroy();
  await reached(
    'every connection to be gone',
    async () => (await gauge('http.gateway.downstream_cx_active')) === 0,
  );
});

afterAll(async () => {
  await envoy.stop();
  group.remove();
  const closed = once(server, 'close');
  server.close();
  // Who does not read is not told that the other side has ended.
  for (const socket of served) socket.destroy();
  await closed;
});

async function gauge(name: string): Promise<number> {
  const stats = await (await fetch(`${envoy.admin}/stats?filter=^${name}$`)).text();
  const [, value] = /: (\d+)$/m.exec(stats) ?? [];
  if (value === undefined) throw new Error(`Envoy has no ${name}`);
  return Number(value);
}

function reached(what: string, look: () => Promise<boolean>): Promise<true> {
  return waitFor({ what, timeoutMs: 2 * minute, intervalMs: 100 }, async () => {
    expect(envoy.ended()).toBeUndefined();
    return (await look()) ? { done: true, value: true } : { done: false, because: 'not yet' };
  });
}

/** A request on a new connection: its status; undefined where the connection is ended without one. */
async function ask(): Promise<number | undefined> {
  const connection = openRaw(port);
  connection.socket.write('GET /ok HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  await connection.ended;
  return connection.statuses()[0];
}

/** It runs, and has never taken as much as its container has. */
function expectHeld(): void {
  expect(envoy.ended()).toBeUndefined();
  expect(group.peak()).toBeLessThan(limit);
}

const refusing = 'overload.envoy.overload_actions.stop_accepting_requests.active';

test(
  'a heap that heads of requests fill: new requests are refused, and taken again when there is room',
  async () => {
    const head = { ':method': 'GET', ':path': '/held', ':authority': 'a' };
    const note = 'x'.repeat((clientHead.kib - 8) * 2 ** 10);
    const statuses: number[] = [];
    // Half as much again as fits, as many as Envoy takes on a connection.
    const count = Math.ceil((1.5 * capacity.heapBytes) / note.length / 100);
    for (let at = 0; at < count; at++) {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      session.on('error', () => undefined);
      sessions.push(session);
      for (let stream = 0; stream < 100; stream++) {
        const request = session.request({ ...head, 'x-note': note });
        request.on('response', ({ ':status': status }) => statuses.push(Number(status)));
        request.on('error', () => undefined).resume();
      }
    }
    await reached('requests to be refused', async () => statuses.length > 0 && (await gauge(refusing)) === 1);
    // Heads that came too slowly meanwhile were refused for that.
    expect(statuses.filter((status) => status !== 408)).toEqual(expect.arrayContaining([503]));
    expect([...new Set(statuses)].filter((status) => status !== 408)).toEqual([503]);
    expect([503, undefined]).toContain(await ask());
    expectHeld();
    for (const session of sessions.splice(0)) session.destroy();
    await reached('requests to be taken again', async () => (await ask()) === 200);
    expectHeld();
  },
  5 * minute,
);

test(
  'as many connections as it takes, each with a body that nobody reads: others are closed, and taken again when there is room',
  async () => {
    const head = `POST /held HTTP/1.1\r\nhost: a\r\ncontent-length: ${2 ** 30}\r\n\r\n`;
    // More than both sides of Envoy and the kernel take of it.
    const body = Buffer.alloc(224 * 2 ** 10, 'x');
    const open = () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      sockets.push(socket);
      return socket;
    };
    while (sockets.length < capacity.connections) {
      // Not more at once than wait to be accepted.
      const more = Math.min(sockets.length + 200, capacity.connections);
      while (sockets.length < more) {
        const socket = open();
        socket.write(head);
        socket.write(body);
      }
      await reached(
        `${more} requests to be on their way to the server`,
        async () =>
          (await gauge('http.gateway.downstream_rq_active')) === more &&
          (await gauge('cluster.server.upstream_rq_active')) === more,
      );
    }
    const others = Array.from({ length: 100 }, open);
    await reached('connections beyond the cap to be closed', () =>
      Promise.resolve(others.every((socket) => socket.closed)),
    );
    expect(await ask()).toBeUndefined();
    expect(sockets.filter((socket) => socket.closed)).toHaveLength(others.length);
    expect(await gauge('http.gateway.downstream_cx_active')).toBe(capacity.connections);
    expectHeld();
    for (const socket of sockets.splice(0)) socket.destroy();
    await reached('connections to be taken again', async () => (await ask()) === 200);
  },
  5 * minute,
);
