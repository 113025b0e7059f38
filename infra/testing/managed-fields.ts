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

/** The applied object with the annotations that other managers applied. One that applies annotations alone leaves the rest. */
export function merged(
  manager: string | undefined,
  applied: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  const before = (live?.['metadata'] ?? {}) as Metadata;
  const metadata = (applied['metadata'] ?? {}) as Metadata;
  const isPart = metadata.labels === undefined && metadata.annotations !== undefined;
  const others = (before.managedFields ?? []).filter((entry) => entry.manager !== manager);
  const kept = Object.entries(before.annotations ?? {}).filter(([key]) =>
    others.some(({ fieldsV1 }) => annotationsOf(fieldsV1).includes(`f:${key}`)),
  );
  const annotations = { ...Object.fromEntries(kept), ...metadata.annotations };
  return {
    ...applied,
    metadata: {
      ...metadata,
      ...(isPart && before.labels && { labels: before.labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
  };
}

interface Metadata {
  readonly labels?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly ManagedFields[];
}

function annotationsOf(fields: object | undefined): readonly string[] {
  const { 'f:metadata': metadata } = (fields ?? {}) as { readonly 'f:metadata'?: Record<string, object> };
  return Object.keys(metadata?.['f:annotations'] ?? {});
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
