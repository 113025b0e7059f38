/** A value whose reader is watched, and which of its keys were not looked at. */
export interface Watched {
  readonly value: object;
  /** Paths of the keys that nobody asked for, in objects of which some key was asked for. */
  readonly unread: () => readonly string[];
}

/**
 * Watches which keys a compiled schema looks at: it asks for each that it knows, whether that is there or not. An object whose
 * keys it takes as they come (labels), or at which it does not look (Envoy's own configuration), has no key it does not know.
 */
export function watch(value: object): Watched {
  const looks: (() => readonly string[])[] = [];
  return { value: watched(value, [], looks) as object, unread: () => looks.flatMap((look) => look()) };
}

function watched(value: unknown, path: readonly string[], looks: (() => readonly string[])[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const within = (key: string | number, part: unknown) => watched(part, [...path, String(key)], looks);
  if (Array.isArray(value)) return value.map((part: unknown, index) => within(index, part));
  const asked = new Set<string>();
  let all = false;
  looks.push(() => {
    if (all || asked.size === 0) return [];
    return Object.keys(value)
      .filter((key) => !asked.has(key))
      .map((key) => [...path, key].join('.'));
  });
  const inner = Object.entries(value).map(([key, part]) => [key, within(key, part)] as const);
  return new Proxy(Object.fromEntries(inner), {
    get: (target, key) => {
      if (typeof key === 'string') asked.add(key);
      return Reflect.get(target, key) as unknown;
    },
    ownKeys: (target) => {
      all = true;
      return Reflect.ownKeys(target);
    },
  });
}
