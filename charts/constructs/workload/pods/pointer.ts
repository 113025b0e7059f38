/** The keys that a JSON pointer (RFC 6901) names, one below the other. */
export function keysOfPointer(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What a key names in a value: the entry of a list by its index, the member of an object by its name; undefined for what is not there. */
export function memberOf(value: unknown, key: string): { readonly value: unknown } | undefined {
  if (Array.isArray(value)) {
    const index = /^(?:0|[1-9]\d*)$/.test(key) ? Number(key) : value.length;
    return index < value.length ? { value: value[index] as unknown } : undefined;
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return { value: (value as Readonly<Record<string, unknown>>)[key] };
}

/** What some keys name in a value, one below the other; undefined for what is not there. */
export function found(value: unknown, keys: readonly string[]): { readonly value: unknown } | undefined {
  let at: { readonly value: unknown } | undefined = { value };
  for (const key of keys) {
    if (at === undefined) return undefined;
    at = memberOf(at.value, key);
  }
  return at;
}

/**
 * The keys that lead to what a pointer names, as a difference between clusters is declared: an entry of a list is called by its `name`. They end
 * where an entry is added to a list or taken from it, and where the value has nothing.
 */
export function pathOfPointer(value: unknown, pointer: string, isWhole: boolean): readonly string[] {
  const path: string[] = [];
  let at: unknown = value;
  const keys = keysOfPointer(pointer);
  for (const [index, key] of keys.entries()) {
    const isLast = index === keys.length - 1;
    if (Array.isArray(at) && isLast && !isWhole) return path;
    const member = memberOf(at, key);
    if (member === undefined) return Array.isArray(at) ? path : [...path, key];
    path.push(Array.isArray(at) ? (nameOf(member.value) ?? key) : key);
    at = member.value;
  }
  return path;
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value)) return undefined;
  return typeof value.name === 'string' ? value.name : undefined;
}
