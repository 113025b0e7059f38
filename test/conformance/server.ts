import { setTimeout as sleep } from 'node:timers/promises';
import { logVerbosity, setLogVerbosity, status } from '@grpc/grpc-js';
import type { Metadata } from '@grpc/grpc-js';
import { create } from '@bufbuild/protobuf';
import type { Message } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import type { Any as AnyMessage } from '@bufbuild/protobuf/wkt';
import type { CallContext } from '../../apps/runtime/handlers.ts';
import { createLog } from '../../apps/runtime/log.ts';
import { startServer } from '../../apps/runtime/server.ts';
import { statusError } from '../../apps/runtime/status.ts';
import { conformanceService, messageOf } from './schema.ts';
import type { ErrorShape, Fields, Header } from './schema.ts';
import { readMessages, writeMessage } from './stdio.ts';

/** The conformance service over apps/runtime. */

interface Definition {
  readonly responseHeaders: readonly Header[];
  readonly responseTrailers: readonly Header[];
  readonly responseDelayMs: number;
  /** Of a unary answer. */
  readonly response?: { readonly case?: 'responseData' | 'error'; readonly value: unknown };
  /** Of a stream. */
  readonly responseData?: readonly Uint8Array[];
  readonly error?: ErrorShape;
}

type Request = Fields<{
  readonly responseDefinition?: Definition;
  readonly fullDuplex?: boolean;
}>;

function add(metadata: Metadata, headers: readonly Header[] = []): void {
  for (const { name, value } of headers) {
    for (const one of value) metadata.add(name, name.endsWith('-bin') ? Buffer.from(one, 'base64') : one);
  }
}

/** What the runner asks to see of a call. */
function infoOf(context: CallContext, requests: readonly Message[]): Record<string, unknown> {
  const requestHeaders = Object.keys(context.metadata.getMap()).map((name) => ({
    name,
    value: context.metadata
      .get(name)
      .map((value) => (typeof value === 'string' ? value : value.toString('base64'))),
  }));
  const left = context.deadline - Date.now();
  return {
    requestHeaders,
    ...(Number.isFinite(left) ? { timeoutMs: BigInt(Math.max(Math.round(left), 0)) } : {}),
    requests: requests.map((request) =>
      anyPack(messageOf(request.$typeName.split('.').at(-1) ?? ''), request),
    ),
  };
}

function errorOf(error: ErrorShape, info?: Record<string, unknown>): Error {
  const details: AnyMessage[] = [...(error.details as AnyMessage[])];
  if (info !== undefined) {
    const schema = messageOf('ConformancePayload.RequestInfo');
    details.push(anyPack(schema, create(schema, info)));
  }
  return statusError(error.code, error.message ?? '', details);
}

async function one(
  definition: Definition | undefined,
  context: CallContext,
  requests: readonly Message[],
): Promise<object> {
  const info = infoOf(context, requests);
  add(context.header, definition?.responseHeaders);
  add(context.trailer, definition?.responseTrailers);
  if (definition !== undefined && definition.responseDelayMs > 0) await sleep(definition.responseDelayMs);
  if (definition?.response?.case === 'error') throw errorOf(definition.response.value as ErrorShape, info);
  const data = definition?.response?.case === 'responseData' ? { data: definition.response.value } : {};
  return { payload: { ...data, requestInfo: info } };
}

async function* many(
  definition: Definition | undefined,
  context: CallContext,
  infoAt: (answer: number) => Record<string, unknown> | undefined,
  wait: (answer: number) => Promise<boolean> = () => Promise.resolve(true),
): AsyncGenerator<object, void> {
  add(context.header, definition?.responseHeaders);
  add(context.trailer, definition?.responseTrailers);
  const data = definition?.responseData ?? [];
  for (const [at, bytes] of data.entries()) {
    if (!(await wait(at))) break;
    if (definition !== undefined && definition.responseDelayMs > 0) await sleep(definition.responseDelayMs);
    yield { payload: { data: bytes, requestInfo: infoAt(at) } };
  }
  if (definition?.error !== undefined) {
    throw errorOf(definition.error, data.length === 0 ? infoAt(0) : undefined);
  }
}

async function* bidi(requests: AsyncIterable<Message>, context: CallContext): AsyncGenerator<object, void> {
  const all: Message[] = [];
  const iterator = requests[Symbol.asyncIterator]();
  const more = async () => {
    const next = await iterator.next();
    if (next.done === true) return false;
    all.push(next.value);
    return true;
  };
  await more();
  const first = all[0] as Request | undefined;
  if (first?.fullDuplex !== true) {
    while (await more());
    yield* many(first?.responseDefinition, context, (at) => (at === 0 ? infoOf(context, all) : undefined));
    return;
  }
  let answered = 0;
  yield* many(
    first.responseDefinition,
    context,
    () => infoOf(context, all.slice(answered, (answered = all.length))),
    async (at) => at === 0 || (await more()) || true,
  );
  while (await more());
}

const handlers = {
  unary: (request: Request, context: CallContext) => one(request.responseDefinition, context, [request]),
  idempotentUnary: (request: Request, context: CallContext) =>
    one(request.responseDefinition, context, [request]),
  serverStream: (request: Request, context: CallContext) =>
    many(request.responseDefinition, context, (at) => (at === 0 ? infoOf(context, [request]) : undefined)),
  clientStream: async (requests: AsyncIterable<Request>, context: CallContext) => {
    const all: Request[] = [];
    for await (const request of requests) all.push(request);
    return one(all[0]?.responseDefinition, context, all);
  },
  bidiStream: bidi,
  unimplemented: () => {
    throw statusError(status.UNIMPLEMENTED, 'unimplemented');
  },
};

setLogVerbosity(logVerbosity.NONE);
for await (const request of readMessages(messageOf('ServerCompatRequest'))) {
  const { messageReceiveLimit } = request as Fields<{ messageReceiveLimit: number }>;
  const server = await startServer({
    implementations: [{ service: conformanceService(), handlers }],
    host: '127.0.0.1',
    port: 0,
    servedBy: 'test/conformance',
    log: createLog({ app: 'conformance', cluster: 'test', pod: 'test', level: 'silent' }),
    limits: messageReceiveLimit > 0 ? { requestBytes: messageReceiveLimit } : {},
    drainDelayMs: 0,
    drainLimitMs: 1_000,
  });
  const schema = messageOf('ServerCompatResponse');
  writeMessage(schema, create(schema, { host: '127.0.0.1', port: server.port }));
  await new Promise((resolve) => process.once('SIGTERM', resolve));
  process.exit(0);
}
