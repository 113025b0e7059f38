import type { HttpError } from '../http-status.ts';

/** What the process may hold in all. One client may hold half of each. */
export interface BudgetLimits {
  /** Of bodies, messages and answers, in every form in which they wait. */
  readonly bytes: number;
  /** Requests and WebSockets that are not over. */
  readonly calls: number;
  /** Those of them that stream. */
  readonly streams: number;
}

/** What is held, by one client or by all. */
export type Tally = { -readonly [Kind in keyof BudgetLimits]: number };

/** What holds a part of the budget, for its client. */
export interface Holder {
  /** What its client holds. */
  readonly own: Tally;
  /** What it holds itself. Bytes. */
  readonly bytes: number;
}

/** A body that is being read, or a stream that nobody reads, in the list of all of them. */
export interface StandingBody extends Holder {
  before: StandingBody | undefined;
  after: StandingBody | undefined;
  /** How much it would give back of a kind. */
  holds(kind: keyof BudgetLimits): number;
  /** When something of it came last, by the clock of `performance`. Milliseconds. */
  since: number;
  /** Ends the exchange, and gives back what it holds at once. */
  giveWay(): void;
}

/** What accounts ask of the budget. */
export interface Funds {
  /** Takes so much more. @param isInput - of what a client sends. @throws HttpError 503 or 429 when there is no room, whatever gives way */
  take(kind: keyof BudgetLimits, amount: number, holder: Holder, isInput?: boolean): void;
  /** Gives back what was taken. */
  give(kind: keyof BudgetLimits, amount: number, own: Tally): void;
  /** How many more bytes it may take now. */
  roomOf(holder: Holder): number;
  /** Ends every body that stands still. @returns whether it may take more than it might have before */
  makeRoom(holder: Holder): boolean;
  /** Why it may take no more bytes than its room is. */
  refusal(holder: Holder): HttpError;
}
