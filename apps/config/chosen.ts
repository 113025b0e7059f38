import { z } from 'zod';

/** A schema by the form of the value, so that what is wrong is told of the form that was meant: a union tells nothing of either. */
export function chosen(schemaOf: (value: unknown) => z.ZodType) {
  return z.unknown().transform((value, context): unknown => {
    const parsed = schemaOf(value).safeParse(value, { reportInput: true });
    if (parsed.success) return parsed.data;
    const { issues } = parsed.error;
    // What an unknown key leaves of a mapping says nothing.
    const isMisspelt = issues.some(({ code }) => code === 'unrecognized_keys');
    const told = issues.filter(({ code, path }) => !(isMisspelt && code === 'custom' && path.length === 0));
    context.issues.push(...(told as typeof context.issues));
    return z.NEVER;
  });
}
