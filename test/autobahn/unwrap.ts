import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';

/** What the gateway puts around each message of an answer. */
const before = Buffer.from('{"result":');
const after = Buffer.from('}');

/**
 * Takes the envelope off the text messages that a server of WebSocket sends, each of which is one frame; all other bytes pass as
 * they are. Source: RFC 6455, section 5.2.
 */
export class Unwrap extends Transform {
  #rest: Buffer[] = [];
  #length = 0;
  /** How many bytes are needed to go on. */
  #needed = 1;
  #inHead = true;

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#rest.push(chunk);
    this.#length += chunk.length;
    if (this.#length >= this.#needed) {
      const bytes = Buffer.concat(this.#rest);
      const taken = this.#take(bytes);
      this.#rest = [bytes.subarray(taken)];
      this.#length = bytes.length - taken;
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.push(Buffer.concat(this.#rest));
    done();
  }

  /** Passes on what is whole. @returns how many bytes that are */
  #take(bytes: Buffer): number {
    let at = 0;
    if (this.#inHead) {
      const end = bytes.indexOf('\r\n\r\n');
      this.#needed = bytes.length + 1;
      if (end < 0) return 0;
      at = end + 4;
      this.push(bytes.subarray(0, at));
      this.#inHead = false;
    }
    for (;;) {
      const frame = frameAt(bytes, at);
      this.#needed = frame.length;
      if (bytes.length - at < frame.length) return at;
      this.push(unwrapped(bytes.subarray(at, at + frame.length), frame.head));
      at += frame.length;
    }
  }
}

/** The lengths of a frame and of its head; only what is known of them when the head is not whole. */
function frameAt(bytes: Buffer, at: number): { readonly length: number; readonly head: number } {
  if (bytes.length - at < 2) return { length: 2, head: 2 };
  const short = bytes.readUInt8(at + 1) & 0x7f;
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length - at < head) return { length: head, head };
  const payload =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  return { length: head + payload, head };
}

function unwrapped(frame: Buffer, head: number): Buffer {
  const isText = (frame.readUInt8(0) & 0x0f) === 1;
  if (!isText || !frame.subarray(head).subarray(0, before.length).equals(before)) return frame;
  const payload = frame.subarray(head + before.length, frame.length - after.length);
  return Buffer.concat([headOf(frame.readUInt8(0), payload.length), payload]);
}

function headOf(first: number, length: number): Buffer {
  if (length < 126) return Buffer.from([first, length]);
  if (length < 65_536) return Buffer.from([first, 126, length >> 8, length & 0xff]);
  const head = Buffer.alloc(10);
  head.writeUInt8(first);
  head.writeUInt8(127, 1);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** Passes connections on to a port of the loopback, byte by byte, and its answers through {@link Unwrap}. */
export async function startUnwrapping(port: number): Promise<{ readonly port: number; stop(): void }> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const gateway = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.once('close', () => open.delete(socket));
    }
    client.pipe(gateway);
    gateway.pipe(new Unwrap()).pipe(client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, stop };
}
