/** Names a key of a config.yml, for a problem. */
export type Where = (...path: string[]) => string;

/** What stands at a path of an unparsed value; undefined where there is nothing. */
export function at(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) found = isMapping(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  return found;
}

/** Whether the value is a mapping of YAML. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
