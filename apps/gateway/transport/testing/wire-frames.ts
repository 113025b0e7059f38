import type { Socket } from 'node:net';

/** An HTTP/2 frame. Source: RFC 9113 section 4.1. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header as HPACK literal that is not indexed. Source: RFC 7541 section 6.2.2. */
export const literal = (name: string, value: string) =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);

export const settingsFrame = frame(4, 0, 0);
/** 0x88 is `:status: 200` of the static table; END_HEADERS. */
export const headersFrame = (stream: number) =>
  frame(1, 4, stream, Buffer.concat([Buffer.from([0x88]), literal('content-type', 'application/grpc')]));
export const dataFrame = (stream: number, bytes: Uint8Array) => frame(0, 0, stream, bytes);
/** END_HEADERS and END_STREAM. */
export const trailersFrame = (stream: number) => frame(1, 5, stream, literal('grpc-status', '0'));
export const goawayFrame = (last: number) => {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(last);
  return frame(7, 0, 0, payload);
};

/** Reads a client's frames; tells of each HEADERS frame's stream. */
export function onHeaders(socket: Socket, tell: (stream: number) => void): void {
  let rest = Buffer.alloc(0);
  let preface = 24;
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    if (preface > 0 && rest.length >= preface) {
      rest = rest.subarray(preface);
      preface = 0;
    }
    while (preface === 0 && rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      if (rest[3] === 1) tell(rest.readUInt32BE(5));
      rest = rest.subarray(9 + rest.readUIntBE(0, 3));
    }
  });
}
