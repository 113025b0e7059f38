import { NoRoomError } from '../../codec/bytes.ts';
import type { Standing } from './standing.ts';
import type { BudgetLimits, Funds, StandingBody, Tally } from './types.ts';

/** What bytes are held for: what comes in, what was sent to the service, its answer, what waits for the client. */
const places = { input: 0, sent: 1, answer: 2, queue: 3 } as const;
export type Purpose = keyof typeof places;

/** What a stream holds while nothing waits: objects of two connections, and what is too little to hold it back. Bytes. */
export const streamBytes = 16_384;

/** Less is no progress of a body: a byte now and then would keep its place. Bytes. */
const progressBytes = 1_024;

/** What one exchange holds of the budget. */
export class Account implements StandingBody {
  /** What its client holds. */
  readonly own: Tally;
  /** For {@link Standing}: the bodies before and after this one, and since when nothing more has come of it. */
  before: StandingBody | undefined;
  after: StandingBody | undefined;
  since = 0;
  readonly #budget: Funds;
  readonly #standing: Standing;
  readonly #levels = [0, 0, 0, 0];
  #bytes = 0;
  #streams = 0;
  #open = true;
  #progress = 0;
  /** Whether it gives way because its answers are not read, and not for its body. */
  #isUnread = false;
  #whenGivingWay: (() => void) | undefined;

  constructor(budget: Funds, own: Tally, standing: Standing) {
    this.#budget = budget;
    this.own = own;
    this.#standing = standing;
  }

  /** What it holds now. Bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  holds(kind: keyof BudgetLimits): number {
    if (kind === 'bytes') return this.#bytes;
    return kind === 'streams' ? this.#streams : 1;
  }

  /** How many more bytes it may hold now. */
  get room(): number {
    return this.#budget.roomOf(this);
  }

  /**
   * Makes something that has to be held, and says how long it may become.
   * @param make - throws NoRoomError when it becomes longer
   * @throws HttpError when there is no room for it, whatever gives way
   */
  make<T>(make: (room: number) => T): T {
    for (;;) {
      try {
        return make(this.room);
      } catch (error) {
        if (!(error instanceof NoRoomError)) throw error;
        if (!this.#budget.makeRoom(this)) throw this.#budget.refusal(this);
      }
    }
  }

  /**
   * Says how many bytes it holds for a purpose from now on, in place of what it said before. Does nothing when it is closed.
   * @throws HttpError 503 or 429 when there is no room for more
   */
  hold(purpose: Purpose, bytes: number): void {
    if (!this.#open) return;
    const place = places[purpose];
    this.#add(bytes - (this.#levels[place] ?? 0), purpose === 'input');
    this.#levels[place] = bytes;
  }

  /** The exchange is a stream. @throws HttpError 503 or 429 when there are too many */
  stream(): void {
    if (!this.#open || this.#streams > 0) return;
    this.#budget.take('streams', 1, this);
    this.#streams = 1;
    this.#add(streamBytes);
  }

  /** A body is being read. @param whenGivingWay - ends the exchange, for want of room for others */
  reading(whenGivingWay: () => void): void {
    if (!this.#open) return;
    this.#whenGivingWay = whenGivingWay;
    this.#standing.add(this);
  }

  /** A client does not read a stream's answers. @param whenGivingWay - ends the exchange, for want of room for others */
  standing(whenGivingWay: () => void): void {
    if (this.#whenGivingWay !== undefined) return;
    this.reading(whenGivingWay);
    this.#isUnread = this.#open;
  }

  /** The client reads again. */
  moved(): void {
    if (!this.#isUnread) return;
    this.#isUnread = false;
    this.read();
  }

  /** So much of the body has come. Bytes. */
  came(bytes: number): void {
    if (this.#whenGivingWay === undefined) return;
    this.#progress += bytes;
    if (this.#progress < progressBytes) return;
    this.#progress = 0;
    this.#standing.delete(this);
    this.#standing.add(this);
  }

  /** The body is there, or will not come. */
  read(): void {
    if (this.#whenGivingWay === undefined) return;
    this.#whenGivingWay = undefined;
    this.#standing.delete(this);
  }

  giveWay(): void {
    const end = this.#whenGivingWay;
    this.read();
    this.close();
    end?.();
  }

  /** The exchange is over: gives everything back. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.read();
    this.#budget.give('bytes', this.#bytes, this.own);
    if (this.#streams > 0) this.#budget.give('streams', this.#streams, this.own);
    this.#budget.give('calls', 1, this.own);
    this.#bytes = 0;
  }

  #add(bytes: number, isInput = false): void {
    if (bytes === 0) return;
    if (bytes > 0) this.#budget.take('bytes', bytes, this, isInput);
    else this.#budget.give('bytes', -bytes, this.own);
    this.#bytes += bytes;
  }
}
