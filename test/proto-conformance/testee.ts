// What protobuf's conformance runner tests: the gateway's codec, asked over standard input and output.
// Source: conformance/conformance.proto.
import { readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { ByteWriter } from '../../apps/gateway/codec/bytes.ts';
import { Decoders } from '../../apps/gateway/codec/from-json/decode.ts';
import { JsonError, JsonReader } from '../../apps/gateway/codec/from-json/json-reader.ts';
import { Encoders } from '../../apps/gateway/codec/to-json/encode.ts';
import { withWellKnown } from '../../apps/gateway/codec/types.ts';
import { StatusError } from '../../apps/runtime/status.ts';
import { withoutGroups } from './groups.ts';

/** Numbers of conformance.WireFormat and conformance.TestCategory. */
const wire = { protobuf: 1, json: 2 };
const ignoringUnknown = 3;

interface Request extends Message {
  readonly payload:
    | { readonly case: 'protobufPayload'; readonly value: Uint8Array }
    | { readonly case: 'jsonPayload'; readonly value: string }
    | { readonly case: undefined };
  readonly requestedOutputFormat: number;
  readonly testCategory: number;
  readonly messageType: string;
}

interface Result {
  readonly case: 'protobufPayload' | 'jsonPayload' | 'parseError' | 'serializeError' | 'skipped';
  readonly value: Uint8Array | string;
}

const [descriptors = '', countsFile = ''] = process.argv.slice(2);
const files = fromBinary(FileDescriptorSetSchema, readFileSync(descriptors));
const registry = withWellKnown(createFileRegistry(withoutGroups(files)));
const decoders = new Decoders(registry);
const encoders = new Encoders(registry);
const writer = new ByteWriter();
const counts = new Map<string, number>();

function answer({ payload, requestedOutputFormat: output, testCategory, messageType }: Request): Result {
  // The runner's own question for what it knows to fail.
  if (messageType === 'conformance.FailureSet') return { case: 'protobufPayload', value: new Uint8Array() };
  if (payload.case === undefined || (output !== wire.protobuf && output !== wire.json)) {
    return skipped('JSPB and the text format, which the gateway has no use for');
  }
  const desc = typeOf(messageType);
  if (payload.case === 'protobufPayload' && output === wire.protobuf) {
    // The runner does not go on without it.
    count('from binary to binary, which the gateway never does: by protobuf-es');
    return attempt('parseError', () => {
      const value = toBinary(desc, fromBinary(desc, payload.value));
      return { case: 'protobufPayload', value };
    });
  }
  if (payload.case === 'jsonPayload' && testCategory === ignoringUnknown) {
    return skipped('unknown keys ignored, which the gateway refuses');
  }
  count('by the codec');
  if (payload.case === 'protobufPayload') return toJson(desc, payload.value);
  return attempt('parseError', () => {
    const bytes = fromJson(desc, payload.value);
    return output === wire.json ? toJson(desc, bytes) : { case: 'protobufPayload', value: bytes };
  });
}

function fromJson(desc: DescMessage, text: string): Uint8Array {
  const reader = new JsonReader(Buffer.from(text));
  writer.clear();
  decoders.message(desc)(reader, writer);
  reader.end();
  return writer.take();
}

function toJson(desc: DescMessage, bytes: Uint8Array): Result {
  return attempt(isMessage(desc, bytes) ? 'serializeError' : 'parseError', () => {
    const json = encoders.answer(desc, undefined)(bytes, new ByteWriter());
    return { case: 'jsonPayload', value: Buffer.from(json).toString() };
  });
}

/** Which of two the codec means with one error: bytes that are no message, or a message without a JSON form. */
function isMessage(desc: DescMessage, bytes: Uint8Array): boolean {
  try {
    fromBinary(desc, bytes);
    return true;
  } catch {
    return false;
  }
}

function attempt(failure: 'parseError' | 'serializeError', action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    // Anything else ends this program, which the runner tells.
    if (error instanceof JsonError || error instanceof StatusError || failure === 'parseError') {
      return { case: failure, value: String(error) };
    }
    throw error;
  }
}

function skipped(reason: string): Result {
  count(`skipped: ${reason}`);
  return { case: 'skipped', value: reason };
}

function count(what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function typeOf(name: string): DescMessage {
  const desc = registry.getMessage(name);
  if (desc === undefined) throw new Error(`no ${name} in ${descriptors}`);
  return desc;
}

/** The next so many bytes; undefined when there are no more. */
function read(length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length;) {
    const more = readSync(0, bytes, at, length - at, null);
    if (more === 0) return undefined;
    at += more;
  }
  return bytes;
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
}

const [requestType, responseType] = ['conformance.ConformanceRequest', 'conformance.ConformanceResponse'].map(
  typeOf,
);
for (let head = read(4); head !== undefined; head = read(4)) {
  const body = read(head.readUInt32LE());
  if (body === undefined || requestType === undefined || responseType === undefined) break;
  const result = answer(fromBinary(requestType, body) as Request);
  const response = toBinary(responseType, create(responseType, { result }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(response.length);
  write(Buffer.concat([length, response]));
}
writeFileSync(countsFile, JSON.stringify(Object.fromEntries([...counts].sort())));
