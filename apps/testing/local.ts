import { Metadata, logVerbosity, setLogVerbosity, status } from '@grpc/grpc-js';
import type {
  CallOptions,
  Client,
  ClientDuplexStream,
  ClientReadableStream,
  ClientWritableStream,
} from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { openChannel } from '../runtime/client.ts';
import type { Channel } from '../runtime/client.ts';
import type { Implementation } from '../runtime/handlers.ts';
import { createLog } from '../runtime/log.ts';
import { startServer } from '../runtime/server.ts';
import type { RunningServer, ServerOptions } from '../runtime/server.ts';
import { statusError } from '../runtime/status.ts';

// Failures are asserted, not printed.
setLogVerbosity(logVerbosity.NONE);

/** A log that writes nothing. */
export const silent = createLog({ app: 'test', cluster: 'test', pod: 'test', level: 'silent' });

/** The handler of a method that a test does not call. */
export function unused(): never {
  throw statusError(status.UNIMPLEMENTED, 'unused');
}

/** A server on this machine, and a channel to it. */
export interface Local {
  readonly address: string;
  readonly channel: Channel;
  readonly server: RunningServer;
  /** Closes the channel and the server. */
  stop(): Promise<void>;
}

/** A real server on a free port of the loopback, and a channel to it. */
export async function startLocal(
  implementations: readonly Implementation[],
  options: Partial<ServerOptions> = {},
): Promise<Local> {
  const server = await startServer({
    implementations,
    host: '127.0.0.1',
    port: 0,
    servedBy: 'test/pod',
    log: silent,
    drainDelayMs: 0,
    drainLimitMs: 2_000,
    ...options,
  });
  const address = `127.0.0.1:${server.port}`;
  const channel = openChannel(address);
  const stop = async () => {
    channel.close();
    await server.drain();
  };
  return { address, channel, server, stop };
}

/** Bare streaming calls, as any gRPC client would make them. */
export function streams<M extends DescMethod>(channel: Channel, method: M) {
  type I = MessageInitShape<M['input']>;
  type O = MessageShape<M['output']>;
  const client = channel as Client;
  const path = `/${method.parent.typeName}/${method.name}`;
  const encode = (message: I) => Buffer.from(toBinary(method.input, create(method.input, message)));
  const decode = (bytes: Buffer) => fromBinary(method.output, bytes) as O;
  return {
    serverStream: (request: I, options: CallOptions = {}): ClientReadableStream<O> =>
      client.makeServerStreamRequest<I, O>(path, encode, decode, request, new Metadata(), options),
    duplex: (): ClientDuplexStream<I, O> => client.makeBidiStreamRequest<I, O>(path, encode, decode),
    clientStream: (): { call: ClientWritableStream<I>; answer: Promise<O | undefined> } => {
      const { promise: answer, resolve, reject } = Promise.withResolvers<O | undefined>();
      const call = client.makeClientStreamRequest<I, O>(path, encode, decode, (error, message) => {
        if (error === null) resolve(message);
        else reject(error);
      });
      return { call, answer };
    },
  };
}
