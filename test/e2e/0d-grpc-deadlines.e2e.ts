// Envoy with the routes that istiod makes for native gRPC calls, and with what the constructs merge into them: no cluster. The same in
// a mesh is tried by 6e-grpc.
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { freePort } from '../../apps/testing/free-port.ts';
import { deadlines } from '../../charts/constructs/edge/grpc-edge.ts';
import { connectionsToService } from '../../charts/constructs/edge/shared-connections.ts';
import { listener, startEnvoy, valueOf, type Envoy } from './calls/envoy.ts';
import { rawCall } from './calls/native.ts';
import { grpcUpstream as upstream } from './calls/upstream.ts';

const minute = 60_000;

let server: Http2Server;
let envoy: Envoy;
const sessions = new Set<ServerHttp2Session>();
const ports = { usual: 0, ours: 0, limited: 0, whole: 0, answers: 0, gone: 0 };

/** Answers a call at once, unless it is to be late: then never. */
function serve(stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>): void {
  stream.on('error', () => undefined);
  if (headers[':path'] === '/late') return;
  const code = headers[':path'] === '/unavailable' ? '14' : headers[':path'] === '/too-late' ? '4' : '0';
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code },
    { endStream: true },
  );
}

/** A route as istiod makes it, with what the EnvoyFilter merges into it. */
function route(name: string, merged: object, timeout = '0s') {
  return { route: { cluster: name, timeout, max_grpc_timeout: timeout, ...merged } };
}

/** The same with what the constructs merge into it at the ingress gateways. */
function ourUpstream(name: string, port: number) {
  const istiods = upstream(name, port);
  const kept = { maxRequestsPerConnection: 200, consecutiveErrors: 5 };
  const { outlier_detection, ...others } = valueOf(
    connectionsToService({}, { host: 'a.b.svc.cluster.local', port, kept }),
    'CLUSTER',
  );
  const outliers = { ...istiods.outlier_detection, ...(outlier_detection as object) };
  return { ...istiods, ...others, outlier_detection: outliers };
}

const merged = (timeout?: string) => {
  const rule = { name: 'a', ...(timeout === undefined ? {} : { timeout }) };
  return valueOf(deadlines({}, [rule]), 'HTTP_ROUTE')['route'] as object;
};

beforeAll(async () => {
  server = createServer();
  server.on('stream', serve);
  server.on('session', (session) => sessions.add(session));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const app = (server.address() as AddressInfo).port;
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  envoy = await startEnvoy({
    static_resources: {
      listeners: [
        listener('usual', ports.usual, {}, [], route('usual', {})),
        listener('ours', ports.ours, {}, [], route('ours', merged())),
        listener('whole', ports.whole, {}, [], route('whole', merged())),
        listener('answers', ports.answers, {}, [], route('answers', {})),
        listener('gone', ports.gone, {}, [], route('gone', merged())),
        listener('limited', ports.limited, {}, [], route('limited', merged('0.2s'), '0.2s')),
      ],
      clusters: [
        upstream('usual', app),
        upstream('ours', app),
        upstream('limited', app),
        ourUpstream('whole', app),
        upstream('answers', app),
        ourUpstream('gone', await freePort()),
      ],
    },
  });
}, 10 * minute);

afterAll(async () => {
  await envoy.stop();
  for (const session of sessions) session.destroy();
  const over = once(server, 'close');
  server.close();
  await over;
});

const call = async (at: keyof typeof ports, headers: Readonly<Record<string, string>>) => {
  const url = `http://127.0.0.1:${ports[at]}`;
  const answer = await rawCall(url, { 'content-type': 'application/grpc', ...headers });
  return Number(answer['grpc-status']);
};

/** What six late calls with a deadline of 20 ms got, one after the other, and a call after them. */
async function afterLate(at: keyof typeof ports) {
  const late = [];
  for (let made = 0; made < 6; made++) late.push(await call(at, { ':path': '/late', 'grpc-timeout': '20m' }));
  return { late: [...new Set(late)], next: await call(at, { ':path': '/soon' }) };
}

test("a client's deadlines take no server out of use, and end its calls as its own", async () => {
  expect(await afterLate('ours')).toEqual({ late: [status.DEADLINE_EXCEEDED], next: status.OK });
  // What Envoy does by itself: were it otherwise, nothing would have to be merged.
  expect(await afterLate('usual')).toEqual({ late: [status.UNAVAILABLE], next: status.UNAVAILABLE });
});

test('the limit of a rule holds for calls without a deadline, and for those with a longer one', async () => {
  const started = Date.now();
  expect(await call('limited', { ':path': '/late' })).toBe(status.DEADLINE_EXCEEDED);
  expect(await call('limited', { ':path': '/late', 'grpc-timeout': '1H' })).toBe(status.DEADLINE_EXCEEDED);
  expect(Date.now() - started).toBeGreaterThanOrEqual(400);
  expect(await call('limited', { ':path': '/soon' })).toBe(status.OK);
});

test('answers that a client can have a server give take it out of use for nobody', async () => {
  const after = async (at: keyof typeof ports) => {
    for (let made = 0; made < 6; made++) {
      await call(at, { ':path': '/unavailable' });
      await call(at, { ':path': '/too-late' });
    }
    return call(at, { ':path': '/soon' });
  };
  expect(await after('whole')).toBe(status.OK);
  // What a DestinationRule for callers in the mesh has.
  expect(await after('answers')).toBe(status.UNAVAILABLE);
});

test('a server that is not reached is taken out of use all the same, and with none left all get calls', async () => {
  const counter = /^cluster\.gone\.outlier_detection\.ejections_enforced_consecutive_local_origin_failure$/;
  for (let made = 0; made < 6; made++)
    expect(await call('gone', { ':path': '/soon' })).toBe(status.UNAVAILABLE);
  expect(await envoy.counted(counter)).toBe(1);
});
