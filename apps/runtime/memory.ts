import { totalmem } from 'node:os';

/** The bytes of memory that a process may use: its container's limit, or the machine's memory without one. */
export function availableMemory(constrained = process.constrainedMemory(), all = totalmem()): number {
  // No limit is 0, or more than there is. Source: nodejs.org/api/process.html, process.constrainedMemory().
  return constrained > 0 && constrained < all ? constrained : all;
}
