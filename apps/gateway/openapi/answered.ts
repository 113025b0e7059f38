import type { DescEnum, DescMessage } from '@bufbuild/protobuf';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';
import type { Binding } from '../../../http-rule/binding.ts';
import { behaviorOf } from './behavior.ts';

/** The names of the messages and enums that answers by these bindings may hold, errors among them. */
export function answeredTypes(bindings: readonly Binding[]): ReadonlySet<string> {
  const found = new Set<DescMessage | DescEnum>([StatusSchema]);
  for (const { method, responseBody } of bindings) {
    const type = responseBody === undefined ? method.output : (responseBody.message ?? responseBody.enum);
    if (type !== undefined) found.add(type);
  }
  // A set takes in what is added while it is gone through.
  for (const type of found) {
    if (type.kind === 'enum') continue;
    for (const field of type.fields) {
      const held = field.message ?? field.enum;
      if (held !== undefined && !behaviorOf(field).inputOnly) found.add(held);
    }
  }
  return new Set([...found].map(({ typeName }) => typeName));
}
