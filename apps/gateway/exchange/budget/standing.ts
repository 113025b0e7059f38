import type { StandingBody } from './types.ts';

/** The bodies that are being read, from the one of which nothing has come for longest on: a list through the accounts. */
export class Standing {
  #first: StandingBody | undefined;
  #last: StandingBody | undefined;

  add(body: StandingBody): void {
    body.since = performance.now();
    body.before = this.#last;
    body.after = undefined;
    if (this.#last === undefined) this.#first = body;
    else this.#last.after = body;
    this.#last = body;
  }

  /** It has to be in the list. */
  delete(body: StandingBody): void {
    const { before, after } = body;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    body.before = undefined;
    body.after = undefined;
  }

  /** Those of which nothing has come since a time; one that is handed out may leave the list. */
  *since(time: number): Iterable<StandingBody> {
    let body = this.#first;
    while (body !== undefined && body.since <= time) {
      const { after } = body;
      yield body;
      body = after;
    }
  }
}
