import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A bare connection to a server, and all that has come on it. */
export interface RawConnection {
  readonly socket: Socket;
  /** Each byte as a character. */
  readonly text: () => string;
  /** The HTTP statuses of the answers that have come. */
  readonly statuses: () => number[];
  /** Settles when the server has ended it. */
  readonly ended: Promise<unknown>;
}

/**
 * Connects. Errors of the connection are left aside: they end it.
 * @param host - this one by default
 */
export function openRaw(port: number, host = '127.0.0.1'): RawConnection {
  const socket = connect({ port, host, allowHalfOpen: true });
  let received = '';
  socket.setEncoding('latin1').on('data', (part: string) => (received += part));
  socket.on('error', () => undefined);
  return {
    socket,
    text: () => received,
    statuses: () => [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code)),
    ended: new Promise((resolve) => socket.once('end', resolve).once('close', resolve)),
  };
}

/** The head of a request, without a body. */
export function headOf(method: string, target: string, ...headers: readonly string[]): string {
  return [`${method} ${target} HTTP/1.1`, 'host: a', ...headers, '', ''].join('\r\n');
}
