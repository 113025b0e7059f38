import type { DescField, DescMessage } from '@bufbuild/protobuf';
import type { Binding } from '../../../../http-rule/binding.ts';
import { isTextual } from '../../../../http-rule/fields.ts';
import type { ByteWriter } from '../bytes.ts';
import { fieldTextWriter, findField } from '../fields.ts';
import type { FieldTextWriter } from '../fields.ts';
import { invalid } from '../invalid.ts';
import { depthLimit } from './json-reader.ts';
import { nearest } from '../nearest.ts';
import { TextError } from '../scalars.ts';

interface Parameter {
  /** JSON path of the field. */
  readonly path: string;
  readonly repeated: boolean;
  /** The oneofs set by it, each with the member: `place` set to `shelf`. */
  readonly oneofs: readonly (readonly [oneof: string, member: string])[];
  readonly write: FieldTextWriter;
}

/** Names remembered with what they lead to; those of messages that hold themselves are without end. */
const mostKnown = 256;

/**
 * Makes what writes a binding's query parameters: every field but those of the body and the path, nested ones by
 * `a.b.c`, repeated ones by repetition. Source: google/api/http.proto, "Rules for HTTP mapping".
 */
export function queryDecoder(binding: Binding): (query: string, writer: ByteWriter) => void {
  const known = new Map<string, Parameter>();
  const taken = new Map(
    [...binding.variables, ...(binding.body.kind === 'field' ? [[binding.body.field]] : [])].flatMap(
      oneofsOf,
    ),
  );
  const parameterOf = (name: string): Parameter => {
    const parameter = known.get(name);
    if (parameter !== undefined) return parameter;
    const made = parameterFor(binding, name);
    if (known.size < mostKnown) known.set(name, made);
    return made;
  };
  return (query, writer) => {
    const seen = new Set<string>();
    const oneofs = new Map(taken);
    for (const pair of query.split('&')) {
      if (pair === '') continue;
      const equals = pair.indexOf('=');
      const name = decode(equals < 0 ? pair : pair.slice(0, equals));
      const { path, repeated, oneofs: set, write } = parameterOf(name);
      const refuse = (description: string) => invalid(whereOf(name), path, description);
      if (seen.has(path) && !repeated) throw refuse('given more than once');
      seen.add(path);
      for (const [oneof, member] of set) {
        const other = oneofs.get(oneof);
        if (other !== undefined && other !== member) throw refuse(`${other} of the same oneof is also given`);
        oneofs.set(oneof, member);
      }
      try {
        write(equals < 0 ? '' : decode(pair.slice(equals + 1)), writer);
      } catch (error) {
        throw error instanceof TextError ? refuse(error.message) : error;
      }
    }
  };
}

function whereOf(name: string): string {
  return `query parameter ${JSON.stringify(name.slice(0, 100))}`;
}

/** `application/x-www-form-urlencoded`, but malformed percent-encoding and UTF-8 are refused. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid('query', '', 'malformed percent-encoding');
  }
}

function parameterFor(binding: Binding, name: string): Parameter {
  const fields = fieldsOf(binding, name);
  const path = pathOf(fields);
  const refuse = (description: string) => invalid(whereOf(name), path, description);
  const last = fields.at(-1);
  if (last === undefined || !isTextual(last)) throw refuse('a query cannot hold a field of this kind');
  if (binding.body.kind === 'field' && fields[0] === binding.body.field)
    throw refuse('this field is the body');
  if (binding.variables.some((variable) => variable.every((field, index) => field === fields[index]))) {
    throw refuse('this field is in the path');
  }
  return {
    path,
    repeated: last.fieldKind === 'list',
    oneofs: oneofsOf(fields),
    write: fieldTextWriter(fields),
  };
}

function fieldsOf({ method, body }: Binding, name: string): DescField[] {
  if (body.kind === 'message') throw invalid(whereOf(name), '', 'all fields come from the body and the path');
  const fields: DescField[] = [];
  let message: DescMessage | undefined = method.input;
  const parts = name.split('.');
  if (parts.length > depthLimit)
    throw invalid(whereOf(name), '', `more than ${depthLimit} levels of nesting`);
  for (const part of parts) {
    const field: DescField | undefined = message && findField(message, part);
    if (field === undefined) throw unknown(name, fields, message, part);
    fields.push(field);
    message = field.fieldKind === 'message' ? field.message : undefined;
  }
  return fields;
}

function unknown(name: string, above: readonly DescField[], message: DescMessage | undefined, part: string) {
  const holder = above.at(-1);
  if (message === undefined)
    return invalid(whereOf(name), '', `${holder?.name ?? ''} has no fields of its own`);
  const near = nearest(
    part,
    message.fields.map((field) => (part.includes('_') ? field.name : field.jsonName)),
  );
  const full = near === undefined ? undefined : [...above.map((field) => field.jsonName), near].join('.');
  const hint = full === undefined ? '' : `; did you mean ${JSON.stringify(full)}?`;
  return invalid(whereOf(name), '', `${message.typeName} has no such field${hint}`);
}

function pathOf(fields: readonly DescField[]): string {
  return fields.map((field) => field.jsonName).join('.');
}

function oneofsOf(fields: readonly DescField[]): [oneof: string, member: string][] {
  return fields.flatMap((field, index): [string, string][] => {
    if (field.oneof === undefined) return [];
    const above = pathOf(fields.slice(0, index));
    return [[`${above}.${field.oneof.name}`, pathOf(fields.slice(0, index + 1))]];
  });
}
