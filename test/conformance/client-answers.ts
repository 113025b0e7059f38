import { create, fromBinary } from '@bufbuild/protobuf';
import type { Message } from '@bufbuild/protobuf';
import { StatusSchema } from '../../gen/google/rpc/status_pb.js';
import { messageOf } from './schema.ts';
import type { Any, Fields, Header } from './schema.ts';
import { readMessages, writeMessage } from './stdio.ts';

/** What the runner asks a client for, and how it is told what came of it. */

export type ClientRequest = Fields<{
  readonly testName: string;
  readonly host: string;
  readonly port: number;
  readonly messageReceiveLimit: number;
  readonly service?: string;
  readonly method?: string;
  readonly streamType: number;
  readonly requestHeaders: readonly Header[];
  readonly requestMessages: readonly Any[];
  readonly timeoutMs?: number;
  readonly requestDelayMs: number;
  readonly cancel?: { readonly cancelTiming: { readonly case?: string; readonly value?: unknown } };
}>;

/** STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM. */
export const fullDuplex = 5;

/** What came of a call. */
export interface Outcome {
  readonly header: readonly Header[];
  readonly payloads: readonly unknown[];
  readonly error?: { readonly code: number; readonly message: string; readonly details: readonly unknown[] };
  readonly trailer: readonly Header[];
  /** Messages of the request that were not sent. */
  readonly unsent: number;
}

/** When the call is to be cancelled: the value of that kind; undefined when it is another, or none. */
export function cancelTiming({ cancel }: ClientRequest, kind: string): unknown {
  return cancel?.cancelTiming.case === kind ? cancel.cancelTiming.value : undefined;
}

/** The details of an error, from the bytes of its google.rpc.Status. */
export function detailsOf(bytes: Uint8Array | undefined): readonly unknown[] {
  return bytes === undefined ? [] : fromBinary(StatusSchema, bytes).details;
}

/** More at once make calls late for their deadlines, which the runner measures. */
const atOnce = 8;

/** Makes the calls that standard input asks for, and tells standard output what came of each. */
export async function answerAll(make: (request: ClientRequest) => Promise<Outcome>): Promise<void> {
  const calls = new Set<Promise<void>>();
  for await (const request of readMessages(messageOf('ClientCompatRequest'))) {
    const made = answer(request as ClientRequest, make).then((response) => {
      writeMessage(messageOf('ClientCompatResponse'), response);
      calls.delete(made);
    });
    calls.add(made);
    if (calls.size >= atOnce) await Promise.race(calls);
  }
  await Promise.all(calls);
}

async function answer(
  request: ClientRequest,
  make: (request: ClientRequest) => Promise<Outcome>,
): Promise<Message> {
  const { header, payloads, error, trailer, unsent } = await make(request);
  const value = {
    responseHeaders: header,
    payloads,
    ...(error === undefined ? {} : { error }),
    responseTrailers: trailer,
    numUnsentRequests: unsent,
  };
  const { testName } = request;
  return create(messageOf('ClientCompatResponse'), { testName, result: { case: 'response', value } });
}
