/**
 * Delivers changes to any number of subscribers, each at its own pace. A subscriber slower than the changes gets the
 * newest value of each key instead of a growing queue: its memory is bounded by the number of keys.
 */
export class Changes<K, V> {
  readonly #subscriptions = new Set<Subscription<K, V>>();

  publish(key: K, value: V): void {
    for (const subscription of this.#subscriptions) subscription.offer(key, value);
  }

  /**
   * Subscribes from now on, even before the first value is requested.
   * @param signal - ends the subscription at once
   * @param wants - whether the subscriber wants a key. @default - all keys
   */
  subscribe(signal: AbortSignal, wants: (key: K) => boolean = () => true): Subscription<K, V> {
    const subscription = new Subscription<K, V>(wants, () => this.#subscriptions.delete(subscription));
    if (signal.aborted) return subscription.close();
    this.#subscriptions.add(subscription);
    signal.addEventListener('abort', () => subscription.close(), { once: true });
    return subscription;
  }

  /** Number of subscribers. */
  get size(): number {
    return this.#subscriptions.size;
  }
}

/** The changes that one subscriber has not seen yet. Iterate it only once. */
export class Subscription<K, V> implements AsyncIterable<V> {
  readonly #wants: (key: K) => boolean;
  readonly #leave: () => void;
  readonly #pending = new Map<K, V>();
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(wants: (key: K) => boolean, leave: () => void) {
    this.#wants = wants;
    this.#leave = leave;
  }

  offer(key: K, value: V): void {
    if (this.#ended || !this.#wants(key)) return;
    this.#pending.delete(key); // so that a key that changes often does not delay others
    this.#pending.set(key, value);
    this.#wake();
  }

  /** Accepts no more changes; earlier ones are still delivered. */
  end(): void {
    this.#ended = true;
    this.#leave();
    this.#wake();
  }

  /** Ends the subscription, and drops undelivered changes. */
  close(): this {
    this.#pending.clear();
    this.end();
    return this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<V, void> {
    try {
      for (;;) {
        for (const [key, value] of this.#pending) {
          this.#pending.delete(key);
          yield value;
        }
        if (this.#ended) return;
        await new Promise<void>((wake) => (this.#wake = wake));
      }
    } finally {
      this.close();
    }
  }
}
