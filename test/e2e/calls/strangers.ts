import type { Caller } from './call.ts';
import { removeIntruder, startIntruder } from './intruder.ts';
import { removeOutsider, startOutsider, type Outsider } from './outside.ts';

/** Who may call nothing: a pod of the mesh that nobody named, and one outside the mesh. */
export interface Strangers {
  readonly intruder: Caller;
  readonly outsider: Outsider;
}

/**
 * Starts both, and waits until they are ready.
 * @param image - of ours: it has Node
 */
export function startStrangers(cluster: string, image: string): Strangers {
  return { intruder: startIntruder(cluster, image), outsider: startOutsider(cluster, image) };
}

/** Ends both. */
export function removeStrangers(cluster: string): void {
  removeIntruder(cluster);
  removeOutsider(cluster);
}
