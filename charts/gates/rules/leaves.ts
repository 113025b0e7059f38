/** A value within another that is not what it was: its path, and what it is now, undefined where nothing is. */
export interface Changed {
  /** `livenessProbe.httpGet.port` */
  readonly path: string;
  readonly received: unknown;
}

/**
 * What differs between two values, each value for itself: a reason for one is none for another. Entries of lists are told apart by their
 * place.
 */
export function changedIn(before: unknown, after: unknown, path = ''): readonly Changed[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isBranch(before) || !isBranch(after)) return [{ path, received: after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => changedIn(before[key], after[key], path === '' ? key : `${path}.${key}`));
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
