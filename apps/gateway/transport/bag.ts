/** What a {@link Bag} holds: it keeps the place itself. */
export interface Placed {
  /** For the bag alone. */
  place: number;
}

/**
 * A set without order, for what comes and goes with every call. A Set would do, but for the garbage collector: V8 makes
 * a Set that things come to and go from anew again and again, and each old table refers to the next one. Once one of
 * them is in the old generation, every later one, with all that was in it, outlives the young one's collections: the
 * dead calls of many seconds are copied, and pauses of a millisecond become tens.
 */
export class Bag<T extends Placed> {
  readonly #things: T[] = [];

  get size(): number {
    return this.#things.length;
  }

  add(thing: T): void {
    thing.place = this.#things.push(thing) - 1;
  }

  /** Does nothing when the bag does not hold it. */
  delete(thing: T): void {
    if (this.#things[thing.place] !== thing) return;
    const last = this.#things.pop();
    if (last === undefined || last === thing) return;
    last.place = thing.place;
    this.#things[last.place] = last;
  }

  /** What it holds now. */
  list(): T[] {
    return [...this.#things];
  }
}
