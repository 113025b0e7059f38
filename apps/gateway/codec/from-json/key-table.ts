/** Names looked up by their bytes where they stand, without making a string of them. */
export class KeyTable<T> {
  readonly #byName: ReadonlyMap<string, T>;
  readonly #mask: number;
  readonly #slots: ({ readonly name: Uint8Array; readonly value: T } | undefined)[];

  constructor(entries: ReadonlyMap<string, T>) {
    this.#byName = entries;
    const size = 2 ** Math.ceil(Math.log2(entries.size * 2 + 1));
    this.#mask = size - 1;
    this.#slots = new Array<undefined>(size).fill(undefined);
    for (const [text, value] of entries) {
      const name = Buffer.from(text);
      let slot = hashOf(name) & this.#mask;
      while (this.#slots[slot] !== undefined) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = { name, value };
    }
  }

  /** @param hash - of `bytes[start, end)`, each step `hash * 31 + byte` in 32 bits */
  find(bytes: Uint8Array, start: number, end: number, hash: number): T | undefined {
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#slots[slot];
      if (entry === undefined) return undefined;
      if (equal(entry.name, bytes, start, end)) return entry.value;
    }
  }

  byName(name: string): T | undefined {
    return this.#byName.get(name);
  }
}

function hashOf(name: Uint8Array): number {
  return name.reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 0);
}

function equal(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let index = 0; index < name.length; index++) if (name[index] !== bytes[start + index]) return false;
  return true;
}
