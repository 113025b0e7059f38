import type { IncomingHttpHeaders } from 'node:http';
import { status } from '@grpc/grpc-js';
import { statusError } from '../../runtime/status.ts';

/** How long calls may take. Milliseconds. */
export interface Timeouts {
  /** For a call whose client asks for no time. Calls that stream have none unless asked. */
  readonly defaultMs: number;
  /** The most a client gets, whatever it asks for. */
  readonly maxMs: number;
}

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * When a call has to be over: what the header `grpc-timeout` asks for, within the limits. Milliseconds since the epoch;
 * Infinity for a call that streams and asks for nothing.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Timeout".
 * @throws StatusError INVALID_ARGUMENT for a malformed header
 */
export function deadlineOf(headers: IncomingHttpHeaders, streams: boolean, timeouts: Timeouts): number {
  const text = headers['grpc-timeout'];
  if (text === undefined) return streams ? Infinity : Date.now() + timeouts.defaultMs;
  const found = /^(\d{1,8})([HMSmun])$/.exec(typeof text === 'string' ? text : '');
  const [, digits = '', unit = ''] = found ?? [];
  const scale = unitMs[unit];
  if (scale === undefined) {
    throw statusError(
      status.INVALID_ARGUMENT,
      `grpc-timeout: ${JSON.stringify(text)} received; allowed 1 to 8 digits and one of H, M, S, m, u, n`,
    );
  }
  return Date.now() + Math.min(Math.ceil(Number(digits) * scale), timeouts.maxMs);
}
