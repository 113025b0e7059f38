/**
 * When calls came, so that a stopping server can tell whether its callers know of the stop. How long that takes them is not
 * known here: in a mesh it is a second or many, by how busy its control planes are.
 */
export class Arrivals {
  #last = -Infinity;

  /** A call came that was not to ask for the server's health. */
  note(): void {
    this.#last = performance.now();
  }

  /**
   * Waits for the delay of a stopping server, and then until no call came for a fifth of that.
   * @param delayMs - least time to wait, in milliseconds
   * @param limitMs - longest time to wait after it, in milliseconds
   * @returns the time waited after the delay, in milliseconds
   */
  async stopped(delayMs: number, limitMs: number): Promise<number> {
    await sleep(delayMs);
    const quietMs = delayMs / 5;
    const began = performance.now();
    for (;;) {
      const now = performance.now();
      const until = Math.min(this.#last + quietMs, began + limitMs);
      if (until <= now) return now - began;
      await sleep(Math.ceil(until - now));
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
