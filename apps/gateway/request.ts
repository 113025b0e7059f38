import { status } from '@grpc/grpc-js';
import { fromJson } from '@bufbuild/protobuf';
import type { DescField, DescMessage, JsonObject, JsonValue, Message, Registry } from '@bufbuild/protobuf';
import { StatusError, statusError } from '../runtime/status.ts';
import type { Binding } from './bindings.ts';
import { variableValues } from './template.ts';
import { findField, isTextual, jsonOfText } from './values.ts';

/** The parts of an HTTP request that make the gRPC request. */
export interface RequestParts {
  /** Raw path segments, as the router found them. */
  readonly path: readonly string[];
  /** Raw query, without the question mark. */
  readonly query: string;
  /** Parsed body; undefined when there is none. */
  readonly body: JsonValue | undefined;
}

/**
 * Makes the request message of a binding: the body first, the query parameters, then the path's variables over them.
 * @throws StatusError INVALID_ARGUMENT naming what is wrong
 */
export function decodeRequest(binding: Binding, parts: RequestParts, registry: Registry): Message {
  const json = jsonOfBody(binding, parts.body);
  try {
    addQuery(json, binding, parts.query);
    const values = variableValues(binding.template, parts.path);
    binding.variables.forEach((fields, index) => {
      const last = fields.at(-1);
      if (last !== undefined) put(json, fields, jsonOfText(last, values[index] ?? ''));
    });
    return fromJson(binding.method.input, json, { registry });
  } catch (error) {
    if (error instanceof StatusError || !(error instanceof Error)) throw error;
    throw invalid(error.message);
  }
}

/**
 * Parses the bytes of a body.
 * @throws StatusError INVALID_ARGUMENT when they are no JSON in UTF-8
 */
export function parseBody(bytes: Uint8Array): JsonValue | undefined {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(utf8.decode(bytes)) as JsonValue;
  } catch (error) {
    throw invalid(`body: ${error instanceof SyntaxError ? error.message : 'not UTF-8'}`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function jsonOfBody({ body, method }: Binding, json: JsonValue | undefined): JsonObject {
  if (json === undefined || body.kind === 'none') return {};
  if (body.kind === 'field') return { [body.field.jsonName]: json };
  if (isObject(json)) return json;
  throw invalid(`body: a JSON object expected, the fields of ${method.input.typeName}`);
}

function addQuery(json: JsonObject, binding: Binding, query: string): void {
  if (query === '') return;
  const seen = new Set<string>();
  for (const [name, text] of new URLSearchParams(query)) {
    const fields = queryFields(binding, name);
    const last = fields.at(-1);
    if (last === undefined) continue;
    const value = jsonOfText(last, text);
    if (last.fieldKind === 'list') {
      const parent = parentOf(json, fields);
      const list = parent[last.jsonName];
      if (Array.isArray(list)) list.push(value);
      else parent[last.jsonName] = [value];
      continue;
    }
    const key = fields.map((field) => field.number).join('.');
    if (seen.has(key)) throw invalid(`query parameter ${JSON.stringify(name)}: given more than once`);
    seen.add(key);
    put(json, fields, value);
  }
}

function queryFields(binding: Binding, name: string): DescField[] {
  const where = `query parameter ${JSON.stringify(name)}`;
  if (binding.body.kind === 'message') throw invalid(`${where}: all fields come from the body and the path`);
  const fields: DescField[] = [];
  let message: DescMessage | undefined = binding.method.input;
  for (const part of name.split('.')) {
    const field: DescField | undefined = message && findField(message, part);
    if (field === undefined) throw invalid(`${where}: ${binding.method.input.typeName} has no such field`);
    fields.push(field);
    message = field.fieldKind === 'message' ? field.message : undefined;
  }
  const last = fields.at(-1);
  if (last === undefined || !isTextual(last))
    throw invalid(`${where}: a query cannot hold a field of this kind`);
  if (binding.body.kind === 'field' && fields[0] === binding.body.field) {
    throw invalid(`${where}: this field is the body`);
  }
  if (binding.variables.some((variable) => variable.every((field, index) => field === fields[index]))) {
    throw invalid(`${where}: this field is in the path`);
  }
  return fields;
}

/** Sets a field, whichever of its two names the body used for it and those above it. */
function put(json: JsonObject, fields: readonly DescField[], value: JsonValue): void {
  const last = fields.at(-1);
  if (last === undefined) return;
  const parent = parentOf(json, fields);
  Reflect.deleteProperty(parent, last.name);
  parent[last.jsonName] = value;
}

function parentOf(json: JsonObject, fields: readonly DescField[]): JsonObject {
  let parent = json;
  for (const field of fields.slice(0, -1)) {
    const key = Object.hasOwn(parent, field.name) ? field.name : field.jsonName;
    const child = Object.hasOwn(parent, key) ? (parent[key] ?? {}) : {};
    if (!isObject(child)) throw invalid(`${field.name}: a JSON object expected`);
    parent[key] = child;
    parent = child;
  }
  return parent;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string) {
  return statusError(status.INVALID_ARGUMENT, message);
}
