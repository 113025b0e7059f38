import { connect } from 'node:http2';
import type { ProbeAnswer } from './callers/probe-program.ts';

/** A unary call of a native gRPC client, with the empty message and without a token. */
export interface GrpcCall {
  /** HTTP/2 path of the method. */
  readonly path: string;
  /** The host it asks for. @default - the gateway's own address */
  readonly host?: string | undefined;
}

const timeoutMs = 5_000;

/** One real call over HTTP/2 in plaintext. Never throws for a call that fails: that is an answer, too. */
export async function callGrpc(
  base: string,
  { path, host }: GrpcCall,
  signal?: AbortSignal,
): Promise<ProbeAnswer> {
  signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const until = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  // A connection for each call, so that each is balanced anew.
  const session = connect(base);
  try {
    return await new Promise<ProbeAnswer>((resolve, reject) => {
      const stop = () => {
        reject(new Error(`no answer within ${timeoutMs / 1_000} s`));
      };
      until.addEventListener('abort', stop);
      session.on('error', reject);
      const call = session.request({
        ':method': 'POST',
        ':path': path,
        ...(host === undefined ? {} : { ':authority': host }),
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      call.on('error', reject);
      let answer: ProbeAnswer = { servedBy: '', status: '', message: '' };
      const take = (headers: Readonly<Record<string, unknown>>) => {
        const text = (name: string) => (typeof headers[name] === 'string' ? headers[name] : '');
        answer = {
          servedBy: text('x-served-by') || answer.servedBy,
          status: text('grpc-status') || answer.status,
          message: text('grpc-message') || answer.message,
        };
      };
      call.on('response', take);
      call.on('trailers', take);
      call.on('close', () => {
        until.removeEventListener('abort', stop);
        resolve(answer.status === '' ? { ...answer, message: 'the call ended without a status' } : answer);
      });
      call.resume();
      // A message of no bytes: not compressed, and its length.
      call.end(Buffer.alloc(5));
    });
  } catch (error) {
    signal?.throwIfAborted();
    return { servedBy: '', status: '', message: error instanceof Error ? error.message : String(error) };
  } finally {
    session.destroy();
  }
}

/** An answer in a few words, for a message. */
export function describeGrpc({ status, servedBy, message }: ProbeAnswer): string {
  const by = servedBy === '' ? 'of no service that tells' : `served by ${servedBy}`;
  return status === '' ? `no answer (${message})` : `status ${status} ${by}: ${message.slice(0, 160)}`;
}
