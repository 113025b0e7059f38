import { Metadata } from '@grpc/grpc-js';
import type { MetadataValue, StatusObject } from '@grpc/grpc-js';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';
import { detailsKey } from '../status.ts';

/**
 * What the header or the trailers of an answer may hold. 8 KiB is what PROTOCOL-HTTP2.md suggests as a limit of headers, and
 * what grpc-core and grpc-java take by default; Envoy takes 100 fields. Beyond 64 KiB node:http2 ends the connection, and all
 * calls on it.
 */
const most = { bytes: 8_192, fields: 64 } as const;

/** For what grpc-js and node:http2 add: `:status`, `content-type`, `grpc-status`, encodings, `date`. Bytes. */
const ownBytes = 384;

/** Of a message that has to be cut, with its percent-encoding. Bytes. */
const messageBytes = 2_048;

/** Names that are not a handler's to send: gRPC's, and those of HTTP (RFC 9113, sections 8.2.2 and 8.3). */
const reserved =
  /^(?::.*|grpc-(?!status-details-bin$).*|connection|content-length|content-type|http2-settings|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/;

/** The size of a field. Source: RFC 9113, section 6.5.2. */
const sizeOf = (name: string, value: MetadataValue) =>
  name.length + 32 + (typeof value === 'string' ? value.length : 4 * Math.ceil(value.length / 3));

/** Counts what has been put into a block of headers. */
class Room {
  #bytes: number = most.bytes - ownBytes;
  #fields: number = most.fields;

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns whether there was room */
  take(name: string, values: readonly MetadataValue[]): boolean {
    const bytes = values.reduce((sum, value) => sum + sizeOf(name, value), 0);
    if (bytes > this.#bytes || values.length > this.#fields) return false;
    this.#bytes -= bytes;
    this.#fields -= values.length;
    return true;
  }
}

/** Metadata that can be sent, and the names of what was left out. */
export interface Sendable<T> {
  readonly sent: T;
  readonly left: readonly string[];
}

/**
 * What of an answer's metadata can be sent. Left out are reserved names, which node:http2 throws at or peers end the stream
 * for, and what is too large.
 */
export function sendableMetadata(metadata: Metadata, room = new Room()): Sendable<Metadata> {
  const sent = new Metadata();
  const left: string[] = [];
  for (const name of Object.keys(metadata.getMap())) {
    const values = valuesOf(name, metadata.get(name));
    if (reserved.test(name) || !room.take(name, values)) left.push(name);
    else for (const value of values) sent.add(name, value);
  }
  return { sent, left };
}

/**
 * The status of a failed call as it can be sent. When it is too large, its message is cut to 2 KiB, then its details go, the
 * last first, and metadata for which there is no room.
 */
export function sendableStatus({ code, details: message, metadata }: StatusObject): Sendable<StatusObject> {
  const whole = new Room();
  if (message.length <= most.bytes && whole.take('grpc-message', [encodeURI(message)])) {
    const { sent, left } = sendableMetadata(metadata, whole);
    // Reserved names take no room.
    if (left.every((name) => reserved.test(name)))
      return { sent: { code, details: message, metadata: sent }, left };
  }
  const room = new Room();
  const details = cut(message);
  room.take('grpc-message', [encodeURI(details)]);
  const shorter = metadata.clone();
  const [status] = metadata.get(detailsKey);
  shorter.remove(detailsKey);
  const first = new Metadata();
  if (status instanceof Buffer) {
    const fitting = cutDetails(status, details, room.bytes);
    if (fitting !== undefined) first.set(detailsKey, fitting);
  }
  first.merge(shorter);
  const { sent, left } = sendableMetadata(first, room);
  const gone = [
    ...(details === message ? [] : ['grpc-message']),
    ...(status === undefined || sent.get(detailsKey)[0] === status ? [] : [detailsKey]),
    ...left.filter((name) => name !== detailsKey),
  ];
  return { sent: { code, details, metadata: sent }, left: gone };
}

/** HTTP allows some of its own fields once; values of one name may be joined. Source: PROTOCOL-HTTP2.md, Custom-Metadata. */
function valuesOf(name: string, values: readonly MetadataValue[]): readonly MetadataValue[] {
  // RFC 9113, section 8.2.1: no white space around a value.
  const trimmed = values.map((value) => (typeof value === 'string' ? value.trim() : value));
  const isOwn = (name.startsWith('x-') && name !== 'x-content-type-options') || name.endsWith('-bin');
  return isOwn || values.length < 2 ? trimmed : [trimmed.join(', ')];
}

function cut(message: string): string {
  const mark = '…';
  if (message.length <= messageBytes && encodeURI(message).length <= messageBytes) return message;
  let left = messageBytes - encodeURI(mark).length;
  let kept = '';
  for (const character of message) {
    left -= encodeURI(character).length;
    if (left < 0) break;
    kept += character;
  }
  return kept + mark;
}

/** A google.rpc.Status with as many of its details as there is room for; undefined when there is none or it is malformed. */
function cutDetails(bytes: Buffer, message: string, room: number): Buffer | undefined {
  if (sizeOf(detailsKey, bytes) <= room) return bytes;
  try {
    const status = fromBinary(StatusSchema, bytes);
    status.message = message;
    while (status.details.length > 0) {
      const shorter = Buffer.from(toBinary(StatusSchema, status));
      if (sizeOf(detailsKey, shorter) <= room) return shorter;
      status.details.pop();
    }
  } catch {
    // Malformed details must not hide the error itself.
  }
  return undefined;
}
