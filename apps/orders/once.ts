import { createHash } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageShape } from '@bufbuild/protobuf';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.js';
import { CreateOrderRequestSchema } from '../../gen/shop/orders/v1/orders_pb.js';
import { StatusError, detail, statusError } from '../runtime/status.ts';
import type { Outcome, RequestLog } from './request-log.ts';

type Request = MessageShape<typeof CreateOrderRequestSchema>;

/**
 * Executes a request once for each request_id (AIP-155). A repeated request gets the answer of the first. While the first
 * is in progress it waits; if the outcome stays unknown (the caller disconnected, a service was not available), it executes
 * the request itself. A refusal is not stored, because nothing was done.
 * @param signal - signal of the call that may have to wait
 * @throws StatusError ALREADY_EXISTS when the id was used for a request with other fields; whatever `run` throws
 */
export async function once<A>(
  log: RequestLog<A>,
  request: Request,
  signal: AbortSignal,
  run: () => Promise<A>,
): Promise<A> {
  const fingerprint = fingerprintOf(request);
  for (;;) {
    signal.throwIfAborted();
    const claim = await log.claim(keyOf(request), fingerprint);
    if (claim.kind === 'ours') return carryOut(run, claim.settle);
    if (claim.fingerprint !== fingerprint) throw requestIdReused();
    const outcome = await unlessAborted(claim.outcome, signal);
    if (outcome.kind === 'answered') return outcome.answer;
    if (outcome.kind === 'refused') throw outcome.error;
  }
}

/** The same key for every spelling of a UUID. */
export function keyOf({ requestId }: Request): string {
  return requestId.toLowerCase();
}

/** ALREADY_EXISTS: an order for this request_id exists, and the request differs from it. AIP-155 does not define a code for this. */
export function requestIdReused(): StatusError {
  return statusError(
    status.ALREADY_EXISTS,
    'request_id: already used for a request with other fields; use a new one',
    [detail(ErrorInfoSchema, { reason: 'REQUEST_ID_REUSED', domain: 'orders.shop.example' })],
  );
}

async function carryOut<A>(
  run: () => Promise<A>,
  settle: (outcome: Outcome<A>) => Promise<void>,
): Promise<A> {
  try {
    const answer = await run();
    await settle({ kind: 'answered', answer });
    return answer;
  } catch (error) {
    await settle(isRefusal(error) ? { kind: 'refused', error } : { kind: 'unknown' });
    throw error;
  }
}

/** Whether the error is about the request itself; any other error is only about this call. */
function isRefusal(error: unknown): error is StatusError {
  if (!(error instanceof StatusError)) return false;
  return [status.NOT_FOUND, status.FAILED_PRECONDITION, status.ALREADY_EXISTS].includes(error.code);
}

/** Hash of all fields except the id; protobuf-es serializes equal messages to equal bytes. */
function fingerprintOf(request: Request): string {
  const bytes = toBinary(
    CreateOrderRequestSchema,
    create(CreateOrderRequestSchema, { ...request, requestId: '' }),
  );
  return createHash('sha256').update(bytes).digest('base64url');
}

async function unlessAborted<T>(waited: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => {
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([waited, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
