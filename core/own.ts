/**
 * What an object has under a name that people chose; nothing where it has no such key itself. `record[name]` would also
 * find what every object inherits, such as `constructor` and `toString`.
 */
export function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
