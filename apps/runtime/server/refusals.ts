import type { Logger } from '../log.ts';

/** Milliseconds. */
const between = 10_000;

/**
 * Warns of refused calls at once, and then at most every ten seconds for each message, with how many there were: how often they are
 * refused is up to clients.
 */
export class Refusals {
  readonly #log: Logger;
  readonly #said = new Map<string, { at: number; since: number }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  warn(message: string, about: Readonly<Record<string, unknown>>): void {
    const said = this.#said.get(message) ?? { at: -Infinity, since: 0 };
    this.#said.set(message, said);
    said.since += 1;
    const now = performance.now();
    if (now - said.at < between) return;
    this.#log.warn({ ...about, refused: said.since }, message);
    said.at = now;
    said.since = 0;
  }
}
