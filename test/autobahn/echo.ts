import { create, createRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { bindingsOf } from '../../apps/gateway/binding/bindings.ts';
import type { BindingCodec } from '../../apps/gateway/codec/codec.ts';
import { Budget } from '../../apps/gateway/exchange/budget/budget.ts';
import { Crossing } from '../../apps/gateway/exchange/headers.ts';
import { RouteTable } from '../../apps/gateway/exchange/route.ts';
import { createWebSockets } from '../../apps/gateway/exchange/websocket.ts';
import { startHttpServer } from '../../apps/gateway/server.ts';
import { openUpstreams } from '../../apps/gateway/transport/upstreams.ts';
import { silent, startLocal } from '../../apps/testing/local.ts';
import {
  ConformanceService,
  EchoResponseSchema,
  EveryKindSchema,
} from '../../gen/conformance/v1/conformance_pb.js';

/** Path of the method that echoes. */
export const echoPath = '/v1/streams/bidi';

/** Longer than the suite's longest message, 16 MiB. */
const limit = 17 * 2 ** 20;

/** The gateway's codec reads JSON, the suite's messages are any text: they go to the service as they are. */
const verbatim: BindingCodec = {
  decode: ({ body = new Uint8Array() }) => {
    const message = create(EveryKindSchema);
    message.bytesValue = Uint8Array.from(body);
    return toBinary(EveryKindSchema, message);
  },
  encode: (answer) => fromBinary(EchoResponseSchema, answer).request?.bytesValue ?? new Uint8Array(),
};

/**
 * The gateway's server, its WebSockets, its transport and a service that echoes; all but the codec is what a gateway has.
 * Messages come back in the envelope of answers (unwrap.ts).
 */
export async function startEcho(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const handlers = {
    bidiStream: async function* (requests: AsyncIterable<unknown>) {
      for await (const request of requests) yield { request };
    },
  };
  const limits = { requestBytes: limit, answerBytes: limit };
  const local = await startLocal([{ service: ConformanceService, handlers }], { limits });
  const upstreams = openUpstreams(new Map([[ConformanceService, local.address]]), { messageLimit: limit });
  const registry = createRegistry(ConformanceService.file);
  const table = new RouteTable(bindingsOf([ConformanceService]), upstreams, registry);
  const budget = new Budget({ bytes: 2 ** 30, calls: 1_000, streams: 1_000 });
  const scope = {
    registry,
    crossing: new Crossing({ claims: [], answers: [] }),
    timeouts: { defaultMs: 20_000, maxMs: 60_000 },
    body: { bytes: limit, timeoutMs: 20_000 },
    streamIdleMs: 60_000,
    log: silent,
    streams: new Set<{ stop(): void }>(),
  };
  const webSockets = createWebSockets(scope, [], () => () => undefined);
  const server = await startHttpServer({
    gateway: {
      handle: (_, response) => response.writeHead(404).end(),
      takesUpgrade: (request) => table.findStream(request) !== undefined,
      upgrade: (request, socket, head) => {
        const match = table.findStream(request)!;
        const route = { ...match.route, codec: verbatim };
        webSockets.accept(request, socket, head, { ...match, route }, budget.open('autobahn'));
      },
      open: {
        requests: () => budget.held.calls,
        streams: () => budget.held.streams,
        bytes: () => budget.held.bytes,
      },
      stopStreams: () => undefined,
    },
    host: '127.0.0.1',
    port: 0,
    log: silent,
    maxConnections: 1_000,
    headersTimeoutMs: 10_000,
    drainDelayMs: 0,
    drainLimitMs: 1_000,
  });
  const stop = async () => {
    await server.drain();
    upstreams.close();
    await local.stop();
  };
  return { port: server.port, stop };
}
