import { toJson } from '@bufbuild/protobuf';
import type { JsonValue, Message, Registry } from '@bufbuild/protobuf';
import type { Binding } from './bindings.ts';

/**
 * The response's body for an answer: protobuf's JSON form, with fields of their default value written out, so that
 * a client sees `"available": 0` and not nothing.
 */
export function encodeResponse(binding: Binding, answer: Message, registry: Registry): string {
  const json = toJson(binding.method.output, answer, { registry, alwaysEmitImplicit: true });
  const field = binding.responseBody;
  if (field === undefined) return JSON.stringify(json);
  return JSON.stringify((json as Readonly<Record<string, JsonValue | undefined>>)[field.jsonName] ?? null);
}
