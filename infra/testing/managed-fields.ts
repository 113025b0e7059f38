/** What an API server notes of an apply: by whom, and which fields. */
export interface ManagedFields {
  readonly manager: string | undefined;
  readonly operation: 'Apply';
  readonly apiVersion: unknown;
  /** Some tests store entries without. */
  readonly fieldsV1?: object;
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

/**
 * The applied object with the labels and annotations that stay: those that other managers applied, and those that nobody applied,
 * which were there from the beginning.
 */
export function merged(
  manager: string | undefined,
  applied: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  const before = (live?.['metadata'] ?? {}) as Metadata;
  const metadata = (applied['metadata'] ?? {}) as Metadata;
  const entries = before.managedFields ?? [];
  const staying = (key: 'labels' | 'annotations') => {
    const owners = (name: string) =>
      entries.filter((entry) => namesOf(entry.fieldsV1, key).includes(`f:${name}`));
    const kept = Object.entries(before[key] ?? {}).filter(([name]) => {
      const all = owners(name);
      return all.length === 0 || all.some((entry) => entry.manager !== manager);
    });
    const values = { ...Object.fromEntries(kept), ...metadata[key] };
    return Object.keys(values).length > 0 ? { [key]: values } : {};
  };
  return {
    ...applied,
    metadata: {
      ...without(metadata, 'labels', 'annotations'),
      ...staying('labels'),
      ...staying('annotations'),
    },
  };
}

interface Metadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly ManagedFields[];
}

function namesOf(fields: object | undefined, key: 'labels' | 'annotations'): readonly string[] {
  const { 'f:metadata': metadata } = (fields ?? {}) as { readonly 'f:metadata'?: Record<string, object> };
  return Object.keys(metadata?.[`f:${key}`] ?? {});
}

/** The entries after a forced apply: a label or an annotation that gets another value is no longer its former owners'. */
export function takenFrom(
  entries: unknown,
  applied: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>> | undefined,
): readonly ManagedFields[] {
  const [wanted, before] = [applied['metadata'], live?.['metadata']] as (Metadata | undefined)[];
  const changed = (key: 'labels' | 'annotations') =>
    Object.entries(wanted?.[key] ?? {})
      .filter(([name, value]) => before?.[key]?.[name] !== value)
      .map(([name]) => `f:${name}`);
  return ((entries ?? []) as readonly ManagedFields[]).map((entry) => {
    const { 'f:metadata': metadata, ...rest } = (entry.fieldsV1 ?? {}) as Readonly<
      Record<string, Record<string, object>>
    >;
    if (metadata === undefined) return entry;
    const left = Object.fromEntries(
      Object.entries(metadata).map(([key, fields]) =>
        key === 'f:labels' || key === 'f:annotations'
          ? [key, without(fields, ...changed(key === 'f:labels' ? 'labels' : 'annotations'))]
          : [key, fields],
      ),
    );
    return { ...entry, fieldsV1: { ...rest, 'f:metadata': left } };
  });
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
