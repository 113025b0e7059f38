import type { IncomingMessage } from 'node:http';
import type { status } from '@grpc/grpc-js';

/** A request that is over, or a WebSocket that is closed. */
export interface Finished {
  readonly request: IncomingMessage;
  /** HTTP status; 101 for a WebSocket; undefined when the client left before there was one. */
  readonly httpStatus: number | undefined;
  /** Template of the path; undefined when nothing is served there. */
  readonly route: string | undefined;
  /** What gRPC said; undefined when no call was made. */
  readonly code: status | undefined;
  readonly durationMs: number;
  /** Sent on the connection meanwhile, headers included. */
  readonly bytes: number;
}
