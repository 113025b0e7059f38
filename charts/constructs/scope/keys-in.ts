import { isMapping } from '../../../apps/config/mapping.ts';

/** What is a mapping, by its keys; nothing of anything else, which plain JavaScript may pass. */
export function keysIn(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}

/**
 * What properties say, without those that are there and say nothing.
 * @param keys - those that are looked at. @default - all
 */
export function saidIn(props: unknown, keys?: readonly string[]): Readonly<Record<string, unknown>> {
  const said = Object.entries(keysIn(props)).filter(
    ([key, value]) => keys?.includes(key) !== false && value !== undefined && value !== null,
  );
  return Object.fromEntries(said);
}
