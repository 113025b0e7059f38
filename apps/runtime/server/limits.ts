import { status } from '@grpc/grpc-js';
import type { Metadata, ServerInterceptor } from '@grpc/grpc-js';
import { Health } from '../../../gen/grpc/health/v1/health_pb.js';
import { prefixLength } from '../grpc/decoder.ts';
import type { MessageDecoder } from '../grpc/decoder.ts';
import type { Logger } from '../log.ts';
import { availableMemory } from '../memory.ts';
import { peerOf } from '../peer.ts';
import { limitMet } from '../status.ts';

/** What a server takes at most. The names of the variables are those of the gateway. */
export interface ServerLimits {
  /** BODY_LIMIT_BYTES: a message of a request; a longer one is RESOURCE_EXHAUSTED. Bytes. @default 4194304, or `mostRequestBytes` */
  readonly requestBytes: number;
  /** ANSWER_LIMIT_BYTES: a message of an answer; a longer one is RESOURCE_EXHAUSTED. Bytes. @default 4194304 */
  readonly answerBytes: number;
  /** MAX_REQUESTS: calls in flight, streams among them; more are RESOURCE_EXHAUSTED. Health is asked all the same. @default 1000 */
  readonly calls: number;
  /**
   * MAX_BYTES: all parts of messages that are not whole yet, of which one client may have half; a call whose part is too much is
   * RESOURCE_EXHAUSTED. A client is who the connection is from, as `peerOf` says. Bytes.
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

/** The longest message, its prefix beside it, that what one client may have held has room for: a longer one would never be taken. */
export function mostRequestBytes(heldBytes: number): number {
  return shareOf(heldBytes) - prefixLength;
}

/** What of all that is held may be one client's. */
function shareOf(heldBytes: number): number {
  return Math.ceil(heldBytes / 2);
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
export function limitCalls({ calls, heldBytes }: ServerLimits, log: Logger): ServerInterceptor {
  let open = 0;
  let held = 0;
  const share = shareOf(heldBytes);
  const clients = new Map<string, number>();
  const hold = (client: string, change: number) => {
    const own = (clients.get(client) ?? 0) + change;
    const whose = own > share ? ' of this client' : '';
    if (change > 0 && (whose !== '' || held + change > heldBytes)) {
      log.warn(
        { heldBytes, client },
        `a call was refused: the parts of messages${whose} take too much memory`,
      );
      throw new Error(`the server holds too many bytes of unfinished messages${whose}; call again later`);
    }
    held += change;
    if (own === 0) clients.delete(client);
    else clients.set(client, own);
  };
  return (method, call) => {
    const { decoder, stream, metadata, connectionInfo } = call as unknown as BaseCall;
    const certificate = metadata.get('x-forwarded-client-cert')[0]?.toString();
    const client = peerOf(connectionInfo.remoteAddress ?? '', certificate);
    if (!method.path.startsWith(health)) {
      open += 1;
      if (open === calls + 1) log.warn({ calls }, 'calls are refused: too many are in flight');
      if (open > calls) {
        const details = 'too many calls are in flight; call again later';
        call.sendStatus({ code: status.RESOURCE_EXHAUSTED, details, metadata: limitMet('calls') });
      }
    }
    decoder.hold = (change) => {
      hold(client, change);
    };
    stream.once('close', () => {
      decoder.release();
      if (!method.path.startsWith(health)) open -= 1;
    });
    return call as never;
  };
}
