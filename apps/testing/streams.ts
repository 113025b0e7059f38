import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { MessageShape } from '@bufbuild/protobuf';
import { ConformanceService } from '../../gen/conformance/v1/conformance_pb.js';
import type { EveryKindSchema, StreamRequestSchema } from '../../gen/conformance/v1/conformance_pb.js';
import type { CallContext, Implementation } from '../runtime/handlers.ts';
import { statusOf } from '../gateway/exchange/errors.ts';
import { statusError } from '../runtime/status.ts';

type StreamRequest = MessageShape<typeof StreamRequestSchema>;
type EveryKind = MessageShape<typeof EveryKindSchema>;

/** What became of the calls, for tests to look at. */
export interface StreamsSeen {
  /** Messages that were made by server streams, or came in by client streams. */
  messages: number;
  readonly contexts: CallContext[];
  /** Settles with the first of these messages. */
  readonly started: Promise<undefined>;
  /** Settles when the service has been told that the first call is over. */
  readonly cancelled: () => Promise<void>;
  /** Lets a client stream go on that stands at its message `wait`. */
  readonly release: () => void;
}

/** The streaming methods of conformance.v1.ConformanceService, as its proto says they are; long texts are cut. */
export function streamsService(): { implementation: Implementation; seen: StreamsSeen } {
  const called = Promise.withResolvers<CallContext>();
  const started = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  const seen: StreamsSeen = {
    messages: 0,
    contexts: [],
    started: started.promise,
    cancelled: async () => {
      const { signal } = await called.promise;
      if (!signal.aborted) await once(signal, 'abort');
    },
    release: () => {
      released.resolve(undefined);
    },
  };
  const call = (context: CallContext) => {
    seen.contexts.push(context);
    called.resolve(context);
  };
  const message = () => {
    seen.messages++;
    started.resolve(undefined);
  };
  const answers = async function* (request: StreamRequest, context: CallContext) {
    call(context);
    const delayMs = Number(request.delay?.seconds ?? 0n) * 1_000 + (request.delay?.nanos ?? 0) / 1e6;
    for (let index = 0; index < request.count; index++) {
      if (delayMs > 0) await sleep(delayMs, undefined, { signal: context.signal });
      message();
      yield { request: { stringValue: `${index}${'x'.repeat(request.size)}` } };
    }
    if (request.code !== 0)
      throw statusError(statusOf(request.code), `ended with ${status[statusOf(request.code)]}`);
  };
  const handlers = {
    serverStream: answers,
    serverStreamBody: async function* (request: StreamRequest, context: CallContext) {
      for await (const { request: kind } of answers(request, context)) yield kind;
    },
    clientStream: async (requests: AsyncIterable<EveryKind>, context: CallContext) => {
      call(context);
      const stringValues: string[] = [];
      for await (const { stringValue } of requests) {
        message();
        if (stringValue === 'stop') return { count: stringValues.length, stringValues };
        if (stringValue === 'wait') await released.promise;
        stringValues.push(stringValue.slice(0, 100));
      }
      return { count: stringValues.length, stringValues };
    },
    bidiStream: async function* (requests: AsyncIterable<EveryKind>, context: CallContext) {
      call(context);
      for await (const request of requests) {
        message();
        if (request.stringValue === 'fail') throw statusError(status.ABORTED, 'asked to fail');
        yield { request };
      }
    },
  };
  return { implementation: { service: ConformanceService, handlers }, seen };
}
