import { setTimeout as sleep } from 'node:timers/promises';
import { logVerbosity, Metadata, setLogVerbosity } from '@grpc/grpc-js';
import { fromBinary } from '@bufbuild/protobuf';
import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import { openChannel, serviceClient } from '../../apps/runtime/client.ts';
import type { CallOptions } from '../../apps/runtime/client.ts';
import { detailsKey, StatusError } from '../../apps/runtime/status.ts';
import { collect } from '../../apps/testing/collect.ts';
import { answerAll, cancelTiming, detailsOf, fullDuplex } from './client-answers.ts';
import type { ClientRequest, Outcome } from './client-answers.ts';
import { conformanceService } from './schema.ts';
import type { Fields, Header } from './schema.ts';

/** The conformance client over the typed clients of apps/runtime. */

type Answer = Fields<{ readonly payload?: unknown }>;
type Requests = AsyncIterable<Message>;

/** The functions of a client whose service is known only when it runs. */
interface Functions {
  readonly unary: (request: Message, options: CallOptions) => Promise<Answer>;
  readonly server_streaming: (request: Message, options: CallOptions) => AsyncIterable<Answer>;
  readonly client_streaming: (requests: Requests, options: CallOptions) => Promise<Answer>;
  readonly bidi_streaming: (requests: Requests, options: CallOptions) => AsyncIterable<Answer>;
}

function metadataOf(headers: readonly Header[]): Metadata {
  const metadata = new Metadata();
  for (const { name, value } of headers) {
    for (const one of value) metadata.add(name, name.endsWith('-bin') ? Buffer.from(one, 'base64') : one);
  }
  return metadata;
}

/** Name and values, as the runner compares them. */
function headersOf(metadata: Metadata | undefined): Header[] {
  return Object.keys(metadata?.getMap() ?? {}).map((name) => ({
    name,
    value: metadata!.get(name).map((value) => (typeof value === 'string' ? value : value.toString('base64'))),
  }));
}

/** A call, and what came of it. */
class Conversation {
  readonly #request: ClientRequest;
  readonly #method: DescMethod;
  readonly #cancelling = new AbortController();
  readonly #payloads: unknown[] = [];
  #header: Metadata | undefined;
  #trailer: Metadata | undefined;
  #answered = Promise.withResolvers<undefined>();
  #sent = 0;

  constructor(request: ClientRequest, method: DescMethod) {
    this.#request = request;
    this.#method = method;
  }

  async run(service: DescService): Promise<Outcome> {
    const { host, port, messageReceiveLimit, requestMessages } = this.#request;
    const limit = messageReceiveLimit > 0 ? messageReceiveLimit : undefined;
    const channel = openChannel(`${host}:${port}`, limit);
    let error: Outcome['error'];
    try {
      await this.#call(serviceClient(service, channel));
    } catch (thrown) {
      if (!(thrown instanceof StatusError)) throw thrown;
      const [bytes] = thrown.metadata.get(detailsKey);
      const details = detailsOf(bytes instanceof Uint8Array ? bytes : undefined);
      error = { code: thrown.code, message: thrown.message, details };
      this.#trailer ??= thrown.metadata;
    } finally {
      this.#answered.resolve(undefined);
      channel.close();
    }
    return {
      header: headersOf(this.#header),
      payloads: this.#payloads,
      ...(error === undefined ? {} : { error }),
      trailer: headersOf(this.#trailer),
      unsent: requestMessages.length - this.#sent,
    };
  }

  async #call(client: Readonly<Record<string, unknown>>): Promise<void> {
    const { requestHeaders, timeoutMs = Infinity } = this.#request;
    const options = {
      timeoutMs,
      metadata: metadataOf(requestHeaders),
      signal: this.#cancelling.signal,
      onHeader: (header: Metadata) => {
        this.#header = header;
      },
      onTrailer: (trailer: Metadata) => {
        this.#trailer = trailer;
      },
    };
    const { methodKind, localName } = this.#method;
    const call = client[localName] as never;
    switch (methodKind) {
      case 'unary':
        this.#payloads.push((await (call as Functions['unary'])(await this.#one(), options)).payload);
        return;
      case 'client_streaming':
        this.#payloads.push((await (call as Functions['client_streaming'])(this.#all(), options)).payload);
        return;
      case 'server_streaming':
        await this.#take((call as Functions['server_streaming'])(await this.#one(), options));
        return;
      default:
        await this.#take((call as Functions['bidi_streaming'])(this.#all(), options));
    }
  }

  async #take(answers: AsyncIterable<Answer>): Promise<void> {
    for await (const { payload } of answers) {
      this.#payloads.push(payload);
      if (cancelTiming(this.#request, 'afterNumResponses') === this.#payloads.length) {
        this.#cancelling.abort();
      }
      this.#answered.resolve(undefined);
      this.#answered = Promise.withResolvers();
    }
  }

  /** The request of a call that has one. */
  async #one(): Promise<Message> {
    const [message] = await collect(this.#messages());
    this.#closedSending();
    return message!;
  }

  /** Those of a call that has several. */
  async *#all(): AsyncGenerator<Message, void> {
    yield* this.#messages();
    if (cancelTiming(this.#request, 'beforeCloseSend') !== undefined) this.#cancelling.abort();
    else this.#closedSending();
  }

  async *#messages(): AsyncGenerator<Message, void> {
    const { requestMessages, requestDelayMs, streamType } = this.#request;
    for (const { value } of requestMessages) {
      if (requestDelayMs > 0) await sleep(requestDelayMs);
      this.#sent += 1;
      const answered = this.#answered.promise;
      yield fromBinary(this.#method.input, value);
      if (streamType === fullDuplex) await answered;
    }
  }

  #closedSending(): void {
    const after = cancelTiming(this.#request, 'afterCloseSendMs');
    if (typeof after !== 'number') return;
    setTimeout(() => {
      this.#cancelling.abort();
    }, after);
  }
}

setLogVerbosity(logVerbosity.NONE);
const service = conformanceService();
await answerAll(async (request) => {
  const method = service.methods.find(({ name }) => name === request.method);
  if (method === undefined) throw new Error(`no method ${request.method ?? ''}`);
  return new Conversation(request, method).run(service);
});
