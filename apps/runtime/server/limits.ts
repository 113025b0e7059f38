import { status } from '@grpc/grpc-js';
import type { Metadata, ServerInterceptor } from '@grpc/grpc-js';
import { Health } from '../../../gen/grpc/health/v1/health_pb.js';
import { prefixLength } from '../grpc/decoder.ts';
import type { MessageDecoder } from '../grpc/decoder.ts';
import type { Logger } from '../log.ts';
import { availableMemory } from '../memory.ts';
import { networkOf, peerOf } from '../peer.ts';
import { limitMet } from '../status.ts';
import { Refusals } from './refusals.ts';
import { halfOf, Shares, type Users } from './shares.ts';

/** What a server takes at most. The names of the variables are those of the gateway. */
export interface ServerLimits {
  /** BODY_LIMIT_BYTES: a message of a request; a longer one is RESOURCE_EXHAUSTED. Bytes. @default 4194304, or `mostRequestBytes` */
  readonly requestBytes: number;
  /** ANSWER_LIMIT_BYTES: a message of an answer; a longer one is RESOURCE_EXHAUSTED. Bytes. @default 4194304 */
  readonly answerBytes: number;
  /**
   * MAX_REQUESTS: calls in flight, streams among them, of which one caller may have half, and one client that it names in
   * `x-forwarded-for` half of that; more are RESOURCE_EXHAUSTED. Health is asked all the same. @default 1000
   */
  readonly calls: number;
  /**
   * MAX_BYTES: all parts of messages that are not whole yet, with the same shares, but for a client at least one message; a call whose
   * part is too much is RESOURCE_EXHAUSTED. A caller is who the connection is from, as `peerOf` says. Bytes.
   * @default - a quarter of the container's memory, or of the machine's without a limit
   */
  readonly heldBytes: number;
}

/** @param heldBytes - see {@link ServerLimits} */
export function defaultLimits(heldBytes = Math.floor(availableMemory() / 4)): ServerLimits {
  const message = 4 * 2 ** 20;
  const requestBytes = Math.min(message, mostRequestBytes(heldBytes));
  return { requestBytes, answerBytes: message, calls: 1_000, heldBytes };
}

/** The longest message, its prefix beside it, that what one caller may have held has room for: a longer one would never be taken. */
export function mostRequestBytes(heldBytes: number): number {
  return halfOf(heldBytes) - prefixLength;
}

/** What is used of a call of a server, which is private in grpc-js. */
interface BaseCall {
  readonly decoder: MessageDecoder;
  readonly stream: { once(event: 'close', listener: () => void): void };
  readonly metadata: Metadata;
  readonly connectionInfo: { readonly remoteAddress?: string | undefined };
}

const health = `/${Health.typeName}/`;

/**
 * Counts calls from their headers on, before grpc-js has read a message, and the bytes of messages that are not whole. Codes
 * are those of gRPC's table for a server that is out of resources (grpc/doc/statuscodes.md).
 */
export function limitCalls(limits: ServerLimits, log: Logger): ServerInterceptor {
  const { calls, heldBytes, requestBytes } = limits;
  const refusals = new Refusals(log);
  const open = new Shares({ all: calls, caller: halfOf(calls), client: halfOf(halfOf(calls)) });
  const share = halfOf(heldBytes);
  const held = new Shares({
    all: heldBytes,
    caller: share,
    client: Math.max(halfOf(share), Math.min(share, requestBytes + prefixLength)),
  });
  const hold = (users: Users, change: number) => {
    if (change <= 0) {
      held.give(users, -change);
      return;
    }
    const full = held.take(users, change);
    if (full === undefined) return;
    const whose = ofWhom(full);
    refusals.warn(`calls are refused: the parts of messages${whose} take too much memory`, {
      heldBytes,
      client: full,
    });
    throw new Error(`the server holds too many bytes of unfinished messages${whose}; call again later`);
  };
  return (method, call) => {
    const base = call as unknown as BaseCall;
    const { decoder, stream } = base;
    const users = usersOf(base);
    const isCounted = !method.path.startsWith(health);
    const full = isCounted ? open.take(users, 1) : undefined;
    if (full !== undefined) {
      const whose = ofWhom(full);
      refusals.warn(`calls are refused: too many${whose} are in flight`, { calls, client: full });
      const details = `too many calls${whose} are in flight; call again later`;
      call.sendStatus({ code: status.RESOURCE_EXHAUSTED, details, metadata: limitMet('calls') });
    }
    decoder.hold = (change) => {
      hold(users, change);
    };
    stream.once('close', () => {
      decoder.release();
      if (isCounted && full === undefined) open.give(users, 1);
    });
    return call as never;
  };
}

function ofWhom(full: string): string {
  return full === 'all' ? '' : ' of this client';
}

/**
 * Who makes a call. An ingress gateway adds the address of its client to `x-forwarded-for`, as the last one. Whoever else says one there
 * gets no more by it: it is a part of what its caller may have.
 * Source: envoyproxy.io/docs, HTTP connection manager: "x-forwarded-for".
 */
function usersOf({ metadata, connectionInfo }: BaseCall): Users {
  const certificate = metadata.get('x-forwarded-client-cert')[0]?.toString();
  const caller = peerOf(connectionInfo.remoteAddress ?? '', certificate);
  const address = metadata.get('x-forwarded-for').at(-1)?.toString().split(',').at(-1)?.trim() ?? '';
  return address === '' ? [caller] : [caller, `${networkOf(address)} through ${caller}`];
}
