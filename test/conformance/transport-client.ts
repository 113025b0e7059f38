import { setTimeout as sleep } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { createTransport } from '../../apps/gateway/transport/transport.ts';
import type { Call, CallStatus, MetadataPairs } from '../../apps/gateway/transport/types.ts';
import { answerAll, cancelTiming, detailsOf, fullDuplex } from './client-answers.ts';
import type { ClientRequest, Outcome } from './client-answers.ts';
import { messageOf } from './schema.ts';
import type { Fields, Header } from './schema.ts';

/** The conformance client over the gateway's transport, which leaves it to its caller how many messages an answer has. */

/** Name and values, as the runner compares them. */
function headersOf(pairs: MetadataPairs): Header[] {
  const byName = new Map<string, string[]>();
  for (const [name, value] of pairs) byName.set(name, [...(byName.get(name) ?? []), value]);
  return [...byName].map(([name, value]) => ({ name, value }));
}

function errorOf({ code, message, trailers }: CallStatus): Outcome['error'] {
  if (code === 0) return undefined;
  const found = trailers.find(([name]) => name === 'grpc-status-details-bin');
  return { code, message, details: detailsOf(found && Buffer.from(found[1], 'base64')) };
}

/** A call, and what came of it. */
class Conversation {
  readonly payloads: unknown[] = [];
  header: MetadataPairs = [];
  readonly #request: ClientRequest;
  readonly #ended = Promise.withResolvers<CallStatus>();
  #answers = Promise.withResolvers<undefined>();
  #call: Call | undefined;
  #over = false;

  constructor(request: ClientRequest) {
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
          if (cancelTiming(this.#request, 'afterNumResponses') === this.payloads.length) this.#call?.cancel();
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
    if (cancelTiming(this.#request, 'beforeCloseSend') !== undefined) call.cancel();
    else call.endSend();
    const after = cancelTiming(this.#request, 'afterCloseSendMs');
    if (typeof after === 'number') {
      await sleep(after);
      call.cancel();
    }
    return requestMessages.length - sent;
  }
}

await answerAll(async (request) => {
  const conversation = new Conversation(request);
  const { ended, unsent } = await conversation.run();
  const one = request.streamType === 1 || request.streamType === 2;
  const { payloads } = conversation;
  // What the gateway says of it (apps/gateway/exchange/unary.ts).
  const wrong = one && (payloads.length > 1 || (ended.code === 0 && payloads.length === 0));
  const error = wrong ? { code: 12, message: 'more or less than one answer', details: [] } : errorOf(ended);
  return {
    header: headersOf(conversation.header),
    payloads: one && error !== undefined ? [] : payloads,
    ...(error === undefined ? {} : { error }),
    trailer: headersOf(ended.trailers),
    unsent,
  };
});
