import { setTimeout as pause } from 'node:timers/promises';

/** Waits until something is so. The test's own limit is the longest that it may take. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(2);
}
