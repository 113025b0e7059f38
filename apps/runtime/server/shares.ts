/** Who uses something: the caller, and whom it says that it calls for, if anybody. Each as a key unlike every other's. */
export type Users = readonly [caller: string, client?: string];

/** How much of something may be used. */
export interface Most {
  readonly all: number;
  readonly caller: number;
  readonly client: number;
}

/** Half of something, and of one at least that one. */
export function halfOf(all: number): number {
  return Math.ceil(all / 2);
}

/** What is used of something, in all, by each caller, and by each client of a caller. */
export class Shares {
  readonly #most: Most;
  readonly #used = new Map<string, number>();
  #all = 0;

  constructor(most: Most) {
    this.#most = most;
  }

  /**
   * Takes so much of it, unless that is too much.
   * @returns whose share it would exceed; `all` when the rest is not enough; undefined when it is taken
   */
  take(users: Users, amount: number): string | undefined {
    const [caller, client] = users;
    const { all, caller: ofCaller, client: ofClient } = this.#most;
    if (client !== undefined && this.#of(client) + amount > ofClient) return client;
    if (this.#of(caller) + amount > ofCaller) return caller;
    if (this.#all + amount > all) return 'all';
    this.#add(users, amount);
    return undefined;
  }

  give(users: Users, amount: number): void {
    this.#add(users, -amount);
  }

  #of(user: string): number {
    return this.#used.get(user) ?? 0;
  }

  #add(users: Users, amount: number): void {
    this.#all += amount;
    for (const user of users) {
      if (user === undefined) continue;
      const own = this.#of(user) + amount;
      if (own === 0) this.#used.delete(user);
      else this.#used.set(user, own);
    }
  }
}
