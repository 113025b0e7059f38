import { availableMemory } from '../../../runtime/memory.ts';

/**
 * What of a process' memory is for what it holds for its clients: an eighth. The rest is for the program and its idle
 * connections, which take half of 256 MiB, and for what is being made of what is held: JSON that is read or written, and what
 * the garbage collector has not got to yet.
 */
const part = 8;

/** The bytes that a gateway may hold. @param memory - that it may use in all. Bytes. */
export function memoryBudget(memory = availableMemory()): number {
  return Math.floor(memory / part);
}
