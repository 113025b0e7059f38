export type Json = null | boolean | string | readonly Json[] | { readonly [key: string]: Json };

/** Of an echo, what the request became; the metadata that a gateway adds is its own affair. */
const ignored = 'metadata';

/**
 * Parses JSON so that values that are equal are deeply equal: numbers become text of their exact value, members are in
 * order, and no name is special.
 */
export function canonical(text: string): Json | undefined {
  try {
    return JSON.parse(text, (_, value: unknown, context?: { source?: string }) => {
      if (typeof value === 'number') return `number ${exact(value, context?.source ?? '')}`;
      if (typeof value === 'string') return `string ${value}`;
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      const members = Object.entries(value).filter(([name]) => name !== ignored);
      return Object.fromEntries(
        members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, of]) => [`.${name}`, of]),
      );
    }) as Json;
  } catch {
    return undefined;
  }
}

/** Whole numbers keep every digit; others are the double they stand for. */
function exact(value: number, source: string): string {
  if (/^-?\d+$/.test(source)) return source;
  return Object.is(value, -0) ? '-0' : String(value);
}
