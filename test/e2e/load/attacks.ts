import { once } from 'node:events';
import { connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { headOf, openRaw } from '../../../apps/testing/raw.ts';
import type { RawConnection } from '../../../apps/testing/raw.ts';

// What a client may do to an HTTP gateway of the shop: to the process itself (0c-memory), and through an ingress gateway, which
// believes no address that a client makes up (7h-attacks).

/** The longest body that the gateway takes. Bytes. */
export const bodyLimit = 4 * 2 ** 20;

const json = 'content-type: application/json';

/** The header by which a client says who it is; only a proxy is believed. */
const by = (client: number) => `x-forwarded-for: 203.0.113.${client}`;

/** Who attacks a server, with the connections that it has open. */
export class Attacker {
  readonly #host: string;
  readonly #port: number;
  readonly #open: { destroy(): void }[] = [];

  constructor(port: number, host = '127.0.0.1') {
    this.#port = port;
    this.#host = host;
  }

  /** Ends all its connections. */
  end(): void {
    for (const each of this.#open.splice(0)) each.destroy();
  }

  send(...parts: readonly (string | Buffer)[]): RawConnection {
    const connection = openRaw(this.#port, this.#host);
    this.#open.push(connection.socket);
    for (const part of parts) connection.socket.write(part);
    return connection;
  }

  /** Bodies of 4 MiB that stop one byte short, by so many clients. */
  shortBodies(count: number, clients: number): readonly RawConnection[] {
    const short = Buffer.alloc(bodyLimit - 1, ' ');
    return times(count, (at) =>
      this.send(
        headOf('POST', '/v1/reservations', by(at % clients), json, `content-length: ${bodyLimit}`),
        short,
      ),
    );
  }

  /** WebSocket messages of many fragments, with 64 KiB of pongs between: until all are sent, or refused. */
  async fragments(sockets: number, fragments: number): Promise<void> {
    const pongs = Buffer.alloc(125);
    await Promise.all(
      times(sockets, async (at) => {
        const headers = { 'x-forwarded-for': `203.0.113.${at}` };
        const socket = new WebSocket(`ws://${this.#host}:${this.#port}/v1/stock:sync`, { headers });
        this.#open.push({ destroy: socket.terminate.bind(socket) });
        socket.on('error', () => undefined);
        await once(socket, 'open');
        for (let sent = 0; sent < fragments && socket.readyState === WebSocket.OPEN; sent++) {
          socket.send(' ', { fin: false });
          for (let pong = 0; pong < 500; pong++) socket.pong(pongs);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
  }

  /** Lists of products, whose answer may be longer as JSON than one client may hold. */
  lists(count: number): readonly RawConnection[] {
    return times(count, (at) => this.send(headOf('GET', '/v1/products', by(at), 'grpc-timeout: 60S')));
  }

  /** Streams of so many clients, of which nobody reads more than the beginning. */
  unreadStreams(count: number, clients: number): readonly RawConnection[] {
    return times(count, (stream) => {
      const connection = this.send(headOf('GET', '/v1/prices:watch', by(stream % clients)));
      connection.socket.once('data', () => connection.socket.pause());
      return connection;
    });
  }

  /** Requests of one client whose body never comes. */
  bodiless(count: number): readonly RawConnection[] {
    return times(count, () =>
      this.send(headOf('POST', '/v1/reservations', by(1), json, 'content-length: 10')),
    );
  }

  /**
   * Requests that are taken back before their answer, so many at a time: settles when all are. Proxies pass each on as a stream that
   * is reset, on connections that they share with others.
   */
  async takenBack(count: number, atOnce: number): Promise<void> {
    for (let sent = 0; sent < count; sent += atOnce) {
      const some = times(atOnce, () => this.send(headOf('GET', '/v1/prices:watch', by(1))));
      await Promise.all(some.map(({ socket }) => once(socket, 'connect')));
      // Long enough to get to a service, and not always back.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      for (const { socket } of some) socket.destroy();
    }
  }

  /** Requests as everybody may send them, each on a connection of its own. */
  honest(count: number): readonly RawConnection[] {
    return times(count, () => this.send(headOf('GET', '/v1/products/p-1', by(1), 'connection: close')));
  }

  /** Lines of NDJSON that are empty, 130 MiB as 130 kB of gzip. */
  emptyLines(count: number): readonly RawConnection[] {
    const type = 'content-type: application/x-ndjson';
    const length = `content-length: ${emptyLines.length}`;
    const head = headOf('POST', '/v1/stock:import', by(1), type, 'content-encoding: gzip', length);
    return times(count, () => this.send(head, emptyLines));
  }

  /** A body of nearly 4 MiB of `google.protobuf.Any` within one another, in a field that no method of the shop has. */
  nestedAny(depth: number): RawConnection {
    const any = '{"@type":"type.googleapis.com/google.protobuf.Any","value":';
    const one = `${any.repeat(depth)}{}${'}'.repeat(depth)}`;
    const all = times(Math.floor(bodyLimit / (one.length + 1)) - 1, () => one).join(',');
    const body = `{"details":[${all}]}`;
    return this.send(headOf('POST', '/v1/reservations', by(1), json, `content-length: ${body.length}`), body);
  }

  /** A body in chunks of one byte. */
  byteChunks(bytes: number): RawConnection {
    const chunks = Buffer.alloc(bytes * byteChunk.length, byteChunk);
    return this.send(
      headOf('POST', '/v1/reservations', by(1), json, 'transfer-encoding: chunked'),
      chunks,
      '0\r\n\r\n',
    );
  }

  /** Bodies in DATA frames of one byte, over HTTP/2: settles when each is answered, or its stream is over. */
  async byteFrames(streams: number, bytes: number): Promise<void> {
    const session = connect(`http://${this.#host}:${this.#port}`);
    this.#open.push(session);
    session.on('error', () => undefined);
    const byte = Buffer.from(' ');
    await Promise.all(
      times(streams, async () => {
        const stream = session.request({
          ':method': 'POST',
          ':path': '/v1/reservations',
          'content-type': 'application/json',
        });
        stream.on('error', () => undefined).resume();
        const over = new Promise((resolve) => stream.once('close', resolve));
        for (let sent = 0; sent < bytes && !stream.destroyed; sent++) {
          if (!stream.write(byte)) await Promise.race([once(stream, 'drain').catch(() => undefined), over]);
        }
        stream.end();
        await over;
      }),
    );
  }

  /** Requests that HTTP forbids, or that ask for what the gateway does not have. */
  malformed(count: number): readonly RawConnection[] {
    return times(count, (at) => this.send(wrong[at % wrong.length]!));
  }
}

const emptyLines = gzipSync(Buffer.alloc(130 * 2 ** 20, '\n'));
const byteChunk = '1\r\n \r\n';

const handshake = ['upgrade: websocket', 'connection: upgrade', 'sec-websocket-version: 13'];
const wrong = [
  headOf('POST', '/v1/reservations', json, 'transfer-encoding: identity', 'transfer-encoding: chunked'),
  headOf('POST', '/v1/reservations', json, 'content-length: 2', 'transfer-encoding: chunked'),
  headOf('POST', '/v1/reservations', json, 'content-length: 2', 'expect: foo'),
  'GET /v1/products/p-1 HTTP/1.1\r\n\r\n',
  headOf('GET', '/v1/stock:sync', ...handshake, 'sec-websocket-key: short'),
  headOf('CONNECT', 'products.example:443'),
];

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
