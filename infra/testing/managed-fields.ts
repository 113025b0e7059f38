/** What an API server notes of an apply: by whom, and which fields. */
export interface ManagedFields {
  readonly manager: string | undefined;
  readonly operation: 'Apply';
  readonly apiVersion: unknown;
  readonly fieldsV1: object;
}

/** The entry of an apply of this object. */
export function appliedBy(
  manager: string | undefined,
  object: Readonly<Record<string, unknown>>,
): ManagedFields {
  const { metadata, ...rest } = object;
  const own = without(metadata ?? {}, 'name', 'namespace');
  const fieldsV1 = fieldsOf({ ...without(rest, 'apiVersion', 'kind'), metadata: own });
  return { manager, operation: 'Apply', apiVersion: object['apiVersion'], fieldsV1 };
}

function without(object: object, ...keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** The entries with this one in place of the same manager's. */
export function withEntry(entries: unknown, entry: ManagedFields): readonly unknown[] {
  const others = ((entries ?? []) as readonly ManagedFields[]).filter(
    ({ manager }) => manager !== entry.manager,
  );
  return [...others, entry];
}

/** A list counts as one field here. */
function fieldsOf(value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [`f:${key}`, fieldsOf(part)]));
}
