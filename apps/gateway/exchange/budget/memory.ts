import { totalmem } from 'node:os';

/**
 * What of a process' memory is for what it holds for its clients: an eighth. The rest is for the program and its idle
 * connections, which take half of 256 MiB, and for what is being made of what is held: JSON that is read or written, and what
 * the garbage collector has not got to yet.
 */
const part = 8;

/** The bytes that a gateway may hold: a part of the container's memory limit, or of the machine's memory without one. */
export function memoryBudget(constrained = process.constrainedMemory(), all = totalmem()): number {
  // No limit is 0, or more than there is. Source: nodejs.org/api/process.html, process.constrainedMemory().
  const limit = constrained > 0 && constrained < all ? constrained : all;
  return Math.floor(limit / part);
}
