/** Names a key of a config.yml, for a problem's `where`. */
export type Where = (...path: string[]) => string;

/** The value at a path of an unparsed value; undefined when there is none. */
export function at(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) found = isMapping(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  return found;
}

/** Whether the value is a YAML mapping. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
