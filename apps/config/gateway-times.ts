/** A time that the HTTP gateway's environment sets, in milliseconds. */
export interface GatewayTime {
  readonly least: number;
  readonly most: number;
  readonly usual: number;
}

/**
 * How long the HTTP gateway lets a request stand still: what its program accepts and has by default, and what a proxy in front
 * of it must not fall short of.
 */
export const gatewayTimes = {
  /** Deadline of a unary call that sets none. */
  REQUEST_TIMEOUT_MS: { least: 1, most: 600_000, usual: 5_000 },
  /** The longest deadline that a client may set. */
  REQUEST_TIMEOUT_MAX_MS: { least: 1, most: 86_400_000, usual: 60_000 },
  /** A stream with no activity for this long is ended. */
  STREAM_IDLE_MS: { least: 1, most: 86_400_000, usual: 300_000 },
} as const satisfies Readonly<Record<string, GatewayTime>>;
