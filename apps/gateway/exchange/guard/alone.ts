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

/** Ends an exchange of which a step threw. Never throws itself. */
export function failAlone(exchange: Failing, thrown: unknown): void {
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
