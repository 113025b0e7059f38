import type { DescField } from '@bufbuild/protobuf';

/**
 * The fields of a message that a path binds, each with those of its own message; one without any is bound as a whole.
 * The rest of a request is what a body `*` and a query hold. Source: google/api/http.proto, "Rules for HTTP mapping".
 */
export type Bound = ReadonlyMap<DescField, Bound>;

type Tree = Map<DescField, Tree>;

export const nothingBound: Bound = new Map();

/** @param variables - the fields of each variable of a path, outermost first */
export function boundFields(variables: readonly (readonly DescField[])[]): Bound {
  const root: Tree = new Map();
  for (const fields of variables) {
    let tree = root;
    for (const field of fields) {
      const below: Tree = tree.get(field) ?? new Map<DescField, Tree>();
      tree.set(field, below);
      tree = below;
    }
  }
  return root;
}

/** What is bound in the message that fields lead to, outermost first. */
export function boundIn(bound: Bound, fields: readonly DescField[]): Bound {
  return fields.reduce((inner, field) => inner.get(field) ?? nothingBound, bound);
}

/** Whether a path binds all of a field. */
export function isBound(field: DescField, bound: Bound): boolean {
  return bound.get(field)?.size === 0;
}

/** The field that a path binds, of which a field is a sibling in one oneof: only one of them can be set. */
export function boundSibling(field: DescField, bound: Bound): DescField | undefined {
  return field.oneof?.fields.find((other) => other !== field && bound.has(other));
}
