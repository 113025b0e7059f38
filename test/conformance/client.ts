import { setTimeout as sleep } from 'node:timers/promises';
import { create, fromBinary } from '@bufbuild/protobuf';
import type { Message } from '@bufbuild/protobuf';
import { createTransport } from '../../apps/gateway/transport/transport.ts';
import type { Call, CallStatus, MetadataPairs } from '../../apps/gateway/transport/types.ts';
import { StatusSchema } from '../../gen/google/rpc/status_pb.js';
import { messageOf } from './schema.ts';
import type { Any, Fields, Header } from './schema.ts';
import { readMessages, writeMessage } from './stdio.ts';

/** The conformance client over the gateway's transport, which leaves it to its caller how many messages an answer has. */

type Request = Fields<{
  readonly testName: string;
  readonly host: string;
  readonly port: number;
  readonly messageReceiveLimit: number;
  readonly service?: string;
  readonly method?: string;
  readonly streamType: number;
  readonly requestHeaders: readonly Header[];
  readonly requestMessages: readonly Any[];
  readonly timeoutMs?: number;
  readonly requestDelayMs: number;
  readonly cancel?: { readonly cancelTiming: { readonly case?: string; readonly value?: unknown } };
}>;

/** STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM. */
const fullDuplex = 5;

/** Name and values, as the runner compares them. */
function headersOf(pairs: MetadataPairs): object[] {
  const byName = new Map<string, string[]>();
  for (const [name, value] of pairs) byName.set(name, [...(byName.get(name) ?? []), value]);
  return [...byName].map(([name, value]) => ({ name, value }));
}

function errorOf({ code, message, trailers }: CallStatus): object | undefined {
  if (code === 0) return undefined;
  const found = trailers.find(([name]) => name === 'grpc-status-details-bin');
  const details =
    found === undefined ? [] : fromBinary(StatusSchema, Buffer.from(found[1], 'base64')).details;
  return { code, message, details };
}

/** A call, and what came of it. */
class Conversation {
  readonly payloads: unknown[] = [];
  header: MetadataPairs = [];
  readonly #request: Request;
  readonly #ended = Promise.withResolvers<CallStatus>();
  #answers = Promise.withResolvers<undefined>();
  #call: Call | undefined;
  #over = false;

  constructor(request: Request) {
    this.#request = request;
  }

  async run(): Promise<{ readonly ended: CallStatus; readonly unsent: number }> {
    const {
      host,
      port,
      messageReceiveLimit,
      service,
      method = '',
      requestHeaders,
      timeoutMs,
    } = this.#request;
    const transport = createTransport(
      `${host}:${port}`,
      messageReceiveLimit > 0 ? { messageLimit: messageReceiveLimit } : {},
    );
    const metadata = requestHeaders.flatMap(({ name, value }) =>
      value.map((one) => [name.toLowerCase(), one] as const),
    );
    const deadline = timeoutMs === undefined ? Infinity : Date.now() + timeoutMs;
    const schema = messageOf(`${method}Response`);
    this.#call = transport.call(
      `/${service}/${method}`,
      { metadata, deadline },
      {
        header: (pairs) => {
          this.header = pairs;
        },
        message: (bytes) => {
          this.payloads.push((fromBinary(schema, bytes) as Fields<{ payload?: unknown }>).payload);
          if (this.#timing('afterNumResponses') === this.payloads.length) this.#call?.cancel();
          this.#answers.resolve(undefined);
          this.#answers = Promise.withResolvers();
        },
        writable: () => undefined,
        end: (status) => {
          this.#over = true;
          this.#ended.resolve(status);
          this.#answers.resolve(undefined);
        },
        thrown: (error) => {
          this.#ended.resolve({ code: 13, message: String(error), trailers: [], from: 'transport' });
          this.#answers.resolve(undefined);
        },
      },
    );
    const unsent = await this.#send(this.#call);
    const ended = await this.#ended.promise;
    transport.close();
    return { ended, unsent };
  }

  #timing(name: string): unknown {
    const timing = this.#request.cancel?.cancelTiming;
    return timing?.case === name ? timing.value : undefined;
  }

  async #send(call: Call): Promise<number> {
    const { requestMessages, requestDelayMs, streamType } = this.#request;
    let sent = 0;
    for (const { value } of requestMessages) {
      if (requestDelayMs > 0) await sleep(requestDelayMs);
      if (this.#over) break;
      const before = this.payloads.length;
      call.send(value);
      sent += 1;
      if (streamType === fullDuplex && this.payloads.length === before) await this.#answers.promise;
    }
    if (this.#timing('beforeCloseSend') !== undefined) call.cancel();
    else call.endSend();
    const after = this.#timing('afterCloseSendMs');
    if (typeof after === 'number') {
      await sleep(after);
      call.cancel();
    }
    return requestMessages.length - sent;
  }
}

async function answer(request: Request): Promise<Message> {
  const conversation = new Conversation(request);
  const { ended, unsent } = await conversation.run();
  const one = request.streamType === 1 || request.streamType === 2;
  const { payloads } = conversation;
  // What the gateway says of it (apps/gateway/exchange/unary.ts).
  const wrong = one && (payloads.length > 1 || (ended.code === 0 && payloads.length === 0));
  const error = wrong ? { code: 12, message: 'more or less than one answer', details: [] } : errorOf(ended);
  const value = {
    responseHeaders: headersOf(conversation.header),
    payloads: one && error !== undefined ? [] : payloads,
    ...(error === undefined ? {} : { error }),
    responseTrailers: headersOf(ended.trailers),
    numUnsentRequests: unsent,
  };
  const { testName } = request;
  return create(messageOf('ClientCompatResponse'), {
    testName,
    result: { case: 'response', value },
  });
}

/** More at once make calls late for their deadlines, which the runner measures. */
const atOnce = 8;
const calls = new Set<Promise<void>>();
for await (const request of readMessages(messageOf('ClientCompatRequest'))) {
  const made = answer(request as Request).then((response) => {
    writeMessage(messageOf('ClientCompatResponse'), response);
    calls.delete(made);
  });
  calls.add(made);
  if (calls.size >= atOnce) await Promise.race(calls);
}
await Promise.all(calls);
