import { once } from 'node:events';
import { createServer } from 'node:http2';
import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
  ServerOptions,
} from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { CallListener, CallStatus, MetadataPairs, Transport } from '../types.ts';

/** A raw HTTP/2 server on the loopback: what it answers is the test's business. */
export interface Peer {
  readonly address: string;
  readonly server: Http2Server;
  /** Those that are open, oldest first. */
  readonly sessions: readonly ServerHttp2Session[];
  /** Every one there was. */
  readonly sockets: readonly Socket[];
  readonly stop: () => Promise<void>;
}

export async function startPeer(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  options: ServerOptions = {},
): Promise<Peer> {
  const sessions: ServerHttp2Session[] = [];
  const sockets: Socket[] = [];
  const server = createServer(options);
  server.on('connection', (socket: Socket) => sockets.push(socket));
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.splice(sessions.indexOf(session), 1));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    onStream(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    sessions,
    sockets,
    stop: async () => {
      for (const session of [...sessions]) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A server of bytes, whatever they are. @param onSocket - with the connection's number, from 1 */
export async function startRaw(
  onSocket: (socket: Socket, number: number) => void,
): Promise<Pick<Peer, 'address' | 'stop'>> {
  const sockets: Socket[] = [];
  const server = createTcpServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onSocket(socket, sockets.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers with messages and a status, as a gRPC server does. */
export function answer(
  stream: ServerHttp2Stream,
  messages: readonly Uint8Array[] = [],
  trailers: Record<string, string> = { 'grpc-status': '0' },
): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    stream.sendTrailers(trailers);
  });
  for (const message of messages) stream.write(framed(message));
  stream.end();
}

/** A message behind its prefix. */
export function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A listener that keeps what it is told. */
export class Recorder implements CallListener {
  readonly headers: MetadataPairs[] = [];
  readonly messages: Uint8Array[] = [];
  writables = 0;
  /** What its own functions threw. */
  readonly errors: unknown[] = [];
  /** How often the call ended. */
  ends = 0;
  readonly #ended = Promise.withResolvers<CallStatus>();
  readonly #waiters: { readonly met: () => boolean; readonly resolve: () => void }[] = [];

  /** Settles when the call ends. */
  get ended(): Promise<CallStatus> {
    return this.#ended.promise;
  }

  header(metadata: MetadataPairs): void {
    this.headers.push(metadata);
    this.#look();
  }

  message(bytes: Uint8Array): void {
    this.messages.push(bytes);
    this.#look();
  }

  writable(): void {
    this.writables += 1;
    this.#look();
  }

  end(status: CallStatus): void {
    this.ends += 1;
    this.#ended.resolve(status);
    this.#look();
  }

  thrown(error: unknown): void {
    this.errors.push(error);
    this.#look();
  }

  /** Settles as soon as a condition on what was told holds. */
  until(met: (recorder: this) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ met: () => met(this), resolve });
      this.#look();
    });
  }

  #look(): void {
    for (const waiter of [...this.#waiters]) if (waiter.met()) waiter.resolve();
  }
}

/** A deadline that no test reaches. */
export const later = (): number => Date.now() + 60_000;

/** One message there, and what comes back. */
export async function unary(
  transport: Transport,
  path = '/test.Echo/Unary',
  message: Uint8Array = Buffer.from('hello'),
  metadata: MetadataPairs = [],
): Promise<{ readonly recorder: Recorder; readonly status: CallStatus }> {
  const recorder = new Recorder();
  const call = transport.call(path, { metadata, deadline: later() }, recorder);
  call.send(message);
  call.endSend();
  return { recorder, status: await recorder.ended };
}
