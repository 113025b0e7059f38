import { status } from '@grpc/grpc-js';
import { HttpError } from '../http-status.ts';
import { Account } from './account.ts';
import { Standing } from './standing.ts';
import type { BudgetLimits, Funds, Holder, Tally } from './types.ts';

/** A body of which nothing more has come for so long gives way to who has no room. Milliseconds. */
export const patienceMs = 1_000;

/** When so many clients are known, those that hold nothing are forgotten. */
const knownClients = 1_024;

/**
 * The one account of what the process holds for its clients. What does not fit is refused: with 503 when the process is
 * full, with 429 when it is beyond the client's own share. Before that the bodies that stand still give way.
 */
export class Budget implements Funds {
  readonly limits: BudgetLimits;
  readonly held: Readonly<Tally>;
  readonly #share: BudgetLimits;
  /** Bodies leave a quarter to calls and answers that are under way, so that these go on while bodies fill the rest. */
  readonly #forInput: BudgetLimits;
  readonly #held = emptyTally();
  /** Kept when they hold nothing: a Map that things come to and go from all the time is dear to collect (bag.ts). */
  readonly #clients = new Map<string, Tally>();
  /** The bodies that are being read. */
  readonly #standing = new Standing();

  constructor(limits: BudgetLimits) {
    this.limits = limits;
    this.held = this.#held;
    this.#forInput = { ...limits, bytes: Math.floor((limits.bytes * 3) / 4) };
    this.#share = {
      bytes: Math.ceil(limits.bytes / 2),
      calls: Math.ceil(limits.calls / 2),
      streams: Math.ceil(limits.streams / 2),
    };
  }

  /** Takes in one more request or WebSocket. @param client - see {@link clientOf} @throws HttpError 503 or 429 */
  open(client: string): Account {
    const account = new Account(this, this.#tallyOf(client), this.#standing);
    this.take('calls', 1, account);
    return account;
  }

  take(kind: keyof BudgetLimits, amount: number, account: Holder, isInput = false): void {
    const { own } = account;
    const most = isInput ? this.#forInput : this.limits;
    // Its own share first: bodies of others do not help a client that is beyond it.
    if (!this.#makeRoom(own, this.#share, kind, amount, account))
      throw this.#held[kind] + amount > most[kind] ? overloaded(names[kind]) : overShare(names[kind]);
    if (!this.#makeRoom(this.#held, most, kind, amount, account)) throw overloaded(names[kind]);
    this.#held[kind] += amount;
    own[kind] += amount;
  }

  give(kind: keyof BudgetLimits, amount: number, own: Tally): void {
    this.#held[kind] -= amount;
    own[kind] -= amount;
  }

  roomOf({ own }: Holder): number {
    return Math.max(0, Math.min(this.limits.bytes - this.#held.bytes, this.#share.bytes - own.bytes));
  }

  makeRoom(account: Holder): boolean {
    const before = this.roomOf(account);
    const { own } = account;
    const isOwn = this.#share.bytes - own.bytes <= this.limits.bytes - this.#held.bytes;
    this.#makeRoom(isOwn ? own : this.#held, isOwn ? this.#share : this.limits, 'bytes', Infinity, account);
    return this.roomOf(account) > before;
  }

  refusal({ own, bytes }: Holder): HttpError {
    const most = this.#share.bytes;
    if (this.limits.bytes - this.#held.bytes < most - own.bytes) return overloaded(names.bytes);
    if (own.bytes > bytes) return overShare(names.bytes);
    const message = `the answer takes more than the ${most} bytes that a client may hold here`;
    return new HttpError(500, status.RESOURCE_EXHAUSTED, message);
  }

  /** Ends bodies that stand still, the oldest first, until it fits. @returns whether it does */
  #makeRoom(
    held: Tally,
    most: BudgetLimits,
    kind: keyof BudgetLimits,
    amount: number,
    account: Holder,
  ): boolean {
    if (held[kind] + amount <= most[kind]) return true;
    for (const body of this.#standing.since(performance.now() - patienceMs)) {
      const helps = body !== account && (held === this.#held || body.own === held);
      if (helps && body.holds(kind) > 0) body.giveWay();
      if (held[kind] + amount <= most[kind]) return true;
    }
    return false;
  }

  #tallyOf(client: string): Tally {
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    if (this.#clients.size >= knownClients) {
      for (const [name, { calls }] of this.#clients) if (calls === 0) this.#clients.delete(name);
    }
    const tally = emptyTally();
    this.#clients.set(client, tally);
    return tally;
  }
}

function emptyTally(): Tally {
  return { bytes: 0, calls: 0, streams: 0 };
}

const names = { bytes: 'bytes', calls: 'requests', streams: 'streams' } as const;
const later = { 'retry-after': '1' };

/** Not 429: it is this server that has too much to do, not this client. */
function overloaded(what: string): HttpError {
  return new HttpError(503, status.UNAVAILABLE, `too many ${what} are in flight; call again later`, later);
}

function overShare(what: string): HttpError {
  const message = `too many ${what} of this client are in flight; call again later`;
  return new HttpError(429, status.RESOURCE_EXHAUSTED, message, later);
}
