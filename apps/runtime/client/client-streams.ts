import { Readable } from 'node:stream';
import type { Writable } from 'node:stream';
import type { Client, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { DescMethod, Message, MessageInitShape } from '@bufbuild/protobuf';
import { startCall } from './client-call.ts';
import type { OutgoingCall } from './client-call.ts';
import type { StreamOptions } from './call-options.ts';
import { codecOf } from '../wire.ts';

type Init = MessageInitShape<DescMethod['input']>;
type Requests = AsyncIterable<Init> | Iterable<Init>;

/** Returns the function of a typed client for a method that streams its requests, its answers or both. */
export function streamCaller(client: Client, method: DescMethod): unknown {
  const { path, encodeRequest, decodeAnswer } = codecOf(method);
  switch (method.methodKind) {
    case 'server_streaming':
      return inIteration((request: Init, options: StreamOptions = {}) => {
        const outgoing = startCall(client, method, options);
        const { metadata, deadline } = outgoing;
        const call = client.makeServerStreamRequest(path, encodeRequest, decodeAnswer, request, metadata, {
          deadline,
        });
        outgoing.started(call);
        return answersOf(call, outgoing);
      });
    case 'client_streaming':
      return (requests: Requests, options: StreamOptions = {}) =>
        new Promise((resolve, reject) => {
          const outgoing = startCall(client, method, options);
          const { metadata, deadline } = outgoing;
          const call = client.makeClientStreamRequest(
            path,
            encodeRequest,
            decodeAnswer,
            metadata,
            { deadline },
            (error, answer) => {
              outgoing.ended(error);
              sending.stop();
              outgoing.afterTrailer(() => {
                const isOk = error === null && outgoing.thrown === undefined;
                if (isOk && answer !== undefined) resolve(answer);
                else reject(sending.thrown(error));
              });
            },
          );
          outgoing.started(call);
          const sending = send(requests, call, outgoing);
        });
    default:
      return inIteration((requests: Requests, options: StreamOptions = {}) => {
        const outgoing = startCall(client, method, options);
        const { metadata, deadline } = outgoing;
        const call = client.makeBidiStreamRequest(path, encodeRequest, decodeAnswer, metadata, { deadline });
        outgoing.started(call);
        return answersOf(call, outgoing, send(requests, call, outgoing));
      });
  }
}

/** A call that cannot be started fails as others do, while its answers are iterated. */
function inIteration<A extends readonly unknown[]>(
  start: (...args: A) => AsyncGenerator<Message, void>,
): (...args: A) => AsyncGenerator<Message, void> {
  return (...args) => {
    try {
      return start(...args);
    } catch (error) {
      return failed(error as Error);
    }
  };
}

async function* failed(error: Error): AsyncGenerator<never, void> {
  await Promise.reject(error);
}

interface Sending {
  /** Stops reading requests. */
  stop(): void;
  /** The error of the call: the one thrown by the requests, if any. */
  thrown(error: ServiceError | null): Error;
}

/** Sends requests as fast as the call accepts them. */
function send(requests: Requests, call: Writable & { cancel(): void }, outgoing: OutgoingCall): Sending {
  const source = Readable.from(requests, { highWaterMark: 1 });
  let failure: Error | undefined;
  source.once('error', (error) => {
    failure = error;
    call.cancel();
  });
  source.pipe(call);
  return {
    stop: () => source.destroy(),
    thrown: (error) => failure ?? outgoing.failure(error),
  };
}

/** The answers of a running call; its status may arrive before they are read. */
function answersOf(
  call: ClientReadableStream<Message>,
  outgoing: OutgoingCall,
  sending?: Sending,
): AsyncGenerator<Message, void> {
  let failed: ServiceError | undefined;
  call.on('error', (error) => {
    failed = error as ServiceError;
  });
  call.once('status', () => {
    outgoing.ended(failed ?? null);
    sending?.stop();
  });
  return (async function* () {
    try {
      for await (const message of call) yield message as Message;
    } catch (error) {
      failed = error as ServiceError;
    } finally {
      call.cancel();
    }
    if (failed !== undefined) throw sending?.thrown(failed) ?? outgoing.failure(failed);
    if (outgoing.thrown !== undefined) throw outgoing.thrown;
  })();
}
