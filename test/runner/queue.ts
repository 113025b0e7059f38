import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { relative, sep } from 'node:path';
import type { Test } from '@jest/test-result';

interface Entry {
  readonly test: Test;
  /** The top folder. */
  readonly room: string;
  /** Milliseconds of the last run, or what its size lets expect. */
  readonly cost: number;
}

/**
 * Test files in the order in which processes take them. A process stays in a room, whose modules it has loaded, and begins
 * with the longest file there; with a seed, it takes from all files in an order drawn by the seed.
 */
export class Queue {
  readonly #left: Entry[];
  readonly #drawn: boolean;
  /** Where each process is, by its number. */
  readonly #rooms = new Map<number, string>();

  constructor(tests: readonly Test[], rootDir: string, seed: number | undefined) {
    this.#drawn = seed !== undefined;
    const entries = tests.map((test) => ({
      test,
      room: relative(rootDir, test.path).split(sep)[0] ?? '',
      cost: test.duration ?? statSync(test.path).size / 10,
    }));
    const place = ({ test }: Entry) =>
      createHash('sha256')
        .update(`${String(seed)} ${relative(rootDir, test.path)}`)
        .digest('hex');
    this.#left = this.#drawn
      ? entries.sort((a, b) => (place(a) < place(b) ? -1 : 1))
      : entries.sort((a, b) => b.cost - a.cost);
  }

  /** The next file for a process, by the number that tells it from the others. */
  take(process: number): Test | undefined {
    const room = this.#drawn ? undefined : this.#roomFor(process);
    const index = this.#left.findIndex((entry) => room === undefined || entry.room === room);
    const [entry] = index < 0 ? [] : this.#left.splice(index, 1);
    if (entry !== undefined) this.#rooms.set(process, entry.room);
    return entry?.test;
  }

  /** The room it is in, or the one with most left for each process that is there. */
  #roomFor(process: number): string | undefined {
    const current = this.#rooms.get(process);
    if (this.#left.some(({ room }) => room === current)) return current;
    this.#rooms.delete(process);
    const costs = new Map<string, number>();
    for (const { room, cost } of this.#left) {
      const processes = 1 + [...this.#rooms.values()].filter((other) => other === room).length;
      costs.set(room, (costs.get(room) ?? 0) + cost / processes);
    }
    return [...costs].sort(([, a], [, b]) => b - a)[0]?.[0];
  }
}
