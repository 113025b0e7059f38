import { isUtf8 } from 'node:buffer';
import type { Registry } from '@bufbuild/protobuf';
import type { Binding } from '../../../http-rule/binding.ts';
import { boundFields } from '../../../http-rule/bound.ts';
import { ByteWriter, NoRoomError, asBuffer } from './bytes.ts';
import { Decoders } from './from-json/decode.ts';
import { Encoders } from './to-json/encode.ts';
import { fieldTextWriter } from './fields.ts';
import { invalid, jsonPath } from './invalid.ts';
import { JsonError, JsonReader } from './from-json/json-reader.ts';
import type { Decode } from './from-json/json-reader.ts';
import { variableValues } from './path.ts';
import { queryDecoder } from './from-json/query.ts';
import { TextError } from './scalars.ts';
import { withWellKnown } from './types.ts';

/** The parts of an HTTP request that make the gRPC request. */
export interface RequestParts {
  /** Raw path segments, as the router found them. */
  readonly path: readonly string[];
  /** Raw query, without the question mark. */
  readonly query: string;
  /** JSON in UTF-8; undefined or empty when there is none. */
  readonly body: Uint8Array | undefined;
}

/** Translates the messages of one binding between HTTP with JSON and protobuf's binary form. */
export interface BindingCodec {
  /** @throws StatusError INVALID_ARGUMENT, with google.rpc.BadRequest details */
  decode(parts: RequestParts): Uint8Array;
  /**
   * JSON in UTF-8 of one answer, or of the part of it that is the response's body.
   * @param room - how long it may become at most. Bytes. @default - no limit
   * @throws StatusError INTERNAL when the answer is malformed or has no JSON form; NoRoomError when it becomes longer
   */
  encode(answer: Uint8Array, room?: number): Uint8Array;
}

/**
 * Makes the codec of a binding. The request's parts are written one after the other, body, query, path: as protobuf's
 * binary form has it, later ones are merged with earlier ones and win.
 * Source: google/api/http.proto; ProtoJSON (protobuf.dev/programming-guides/json).
 * @param registry - the types that may stand in a google.protobuf.Any beside the well-known ones
 * @throws Error when a message has a field that has no codec (delimited encoding)
 */
export function codecOf(binding: Binding, registry: Registry): BindingCodec {
  const types = withWellKnown(registry);
  const decodeBody = bodyDecoder(binding, new Decoders(types));
  const decodeQuery = queryDecoder(binding);
  const variables = binding.variables.map((fields) => ({
    field: fields.map((field) => field.jsonName).join('.'),
    write: fieldTextWriter(fields),
  }));
  const writer = new ByteWriter();
  const encode = new Encoders(types).answer(binding.method.output, binding.responseBody);
  return {
    decode: ({ path, query, body }) => {
      writer.clear();
      if (body !== undefined && body.length > 0) decodeBody?.(body, writer);
      if (query !== '') decodeQuery(query, writer);
      if (variables.length > 0) {
        const values = variableValues(binding.template, path);
        for (const [index, { field, write }] of variables.entries()) {
          try {
            write(values[index] ?? '', writer);
          } catch (error) {
            throw error instanceof TextError
              ? invalid(`path variable ${field}`, field, error.message)
              : error;
          }
        }
      }
      return writer.take();
    },
    encode: (answer, room = Infinity) => {
      writer.most = room;
      try {
        return encode(answer, writer);
      } catch (error) {
        if (error instanceof NoRoomError) writer.clear();
        throw error;
      } finally {
        writer.most = Infinity;
      }
    },
  };
}

function bodyDecoder(
  { body, method, variables }: Binding,
  decoders: Decoders,
): ((body: Uint8Array, writer: ByteWriter) => void) | undefined {
  const bound = boundFields(variables);
  switch (body.kind) {
    case 'none':
      return undefined;
    case 'message':
      return checked(decoders.rest(method.input, bound), '');
    case 'field':
      return checked(decoders.field(body.field, bound), body.field.jsonName);
  }
}

/** @param field - the field of the request that the body is; empty when it is all of it */
function checked(decode: Decode, field: string): (body: Uint8Array, writer: ByteWriter) => void {
  return (body, writer) => {
    if (!isUtf8(body)) throw invalid('body', field, 'not UTF-8');
    const reader = new JsonReader(asBuffer(body));
    try {
      decode(reader, writer);
      reader.end();
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      const inner = jsonPath(error.path);
      const dot = inner === '' || inner.startsWith('[') ? '' : '.';
      throw invalid(`body${dot}${inner}`, field === '' ? inner : `${field}${dot}${inner}`, error.message);
    }
  };
}
