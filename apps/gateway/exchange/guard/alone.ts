import type { CallListener, CallStatus, MetadataPairs } from '../../transport/types.ts';

/** What can be ended by itself, without another exchange or the process. */
export interface Failing {
  /** Whether its client has been told how it ended. */
  readonly over: boolean;
  /** Ends it with an error that its client is told. */
  fail(thrown: unknown): void;
  /** Ends it, and its connection, without a word. */
  drop(thrown: unknown): void;
}

/**
 * Does a step of one exchange. Callbacks of sockets, streams, timers and libraries begin with it: what is thrown there has
 * no caller that could catch it, and would end the process with everybody's exchanges.
 */
export function alone(exchange: Failing, step: () => void): void {
  try {
    step();
  } catch (thrown) {
    failAlone(exchange, thrown);
  }
}

/** Fails an exchange whose body cannot be read. A connection that broke off has its own end. */
export function failWith(exchange: Failing, error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return;
  alone(exchange, () => {
    exchange.fail(error);
  });
}

function failAlone(exchange: Failing, thrown: unknown): void {
  if (exchange.over) {
    exchange.drop(thrown);
    return;
  }
  try {
    exchange.fail(thrown);
  } catch (again) {
    exchange.drop(again);
  }
}

/** A call's listener whose every word is heard {@link alone}. */
export class AloneListener implements CallListener {
  readonly #exchange: Failing & CallListener;

  constructor(exchange: Failing & CallListener) {
    this.#exchange = exchange;
  }

  header(metadata: MetadataPairs): void {
    try {
      this.#exchange.header(metadata);
    } catch (thrown) {
      failAlone(this.#exchange, thrown);
    }
  }

  message(bytes: Uint8Array): void {
    try {
      this.#exchange.message(bytes);
    } catch (thrown) {
      failAlone(this.#exchange, thrown);
    }
  }

  awaits(length: number): void {
    try {
      this.#exchange.awaits?.(length);
    } catch (thrown) {
      failAlone(this.#exchange, thrown);
    }
  }

  writable(): void {
    try {
      this.#exchange.writable();
    } catch (thrown) {
      failAlone(this.#exchange, thrown);
    }
  }

  end(ended: CallStatus): void {
    try {
      this.#exchange.end(ended);
    } catch (thrown) {
      failAlone(this.#exchange, thrown);
    }
  }
}
