import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { CallContext, Handlers } from '../../apps/runtime/handlers.ts';
import { statusError } from '../../apps/runtime/status.ts';
import type { EchoStatus, ResponseParameters } from '../../gen/grpc/testing/messages_pb.js';
import type { TestService } from '../../gen/grpc/testing/test_pb.js';

const initialKey = 'x-grpc-test-echo-initial';
const trailingKey = 'x-grpc-test-echo-trailing-bin';

/**
 * The server of gRPC's interoperability tests on our runtime.
 * Source: https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md#server
 */
export const testService: Handlers<typeof TestService> = {
  emptyCall: (_, context) => {
    echoMetadata(context);
    return {};
  },

  unaryCall: ({ responseSize, responseStatus }, context) => {
    echoMetadata(context);
    throwStatus(responseStatus);
    return { payload: payload(responseSize) };
  },

  streamingOutputCall: async function* ({ responseParameters }, context) {
    echoMetadata(context);
    yield* answers(responseParameters, context);
  },

  streamingInputCall: async (requests, context) => {
    echoMetadata(context);
    let aggregatedPayloadSize = 0;
    for await (const request of requests) aggregatedPayloadSize += request.payload?.body.length ?? 0;
    return { aggregatedPayloadSize };
  },

  fullDuplexCall: async function* (requests, context) {
    echoMetadata(context);
    for await (const { responseParameters, responseStatus } of requests) {
      throwStatus(responseStatus);
      yield* answers(responseParameters, context);
    }
  },

  unimplementedCall: () => {
    throw statusError(status.UNIMPLEMENTED, 'this method is not implemented');
  },
};

async function* answers(parameters: readonly ResponseParameters[], { signal }: CallContext) {
  for (const { size, intervalUs } of parameters) {
    if (intervalUs > 0) await sleep(intervalUs / 1_000, undefined, { signal });
    yield { payload: payload(size) };
  }
}

function payload(size: number) {
  return { body: new Uint8Array(size) };
}

function throwStatus(wanted: EchoStatus | undefined): void {
  if (wanted === undefined || wanted.code === 0) return;
  throw isStatus(wanted.code)
    ? statusError(wanted.code, wanted.message)
    : statusError(status.INVALID_ARGUMENT, `response_status.code: ${wanted.code} is no gRPC status`);
}

function isStatus(code: number): code is status {
  return code in status;
}

function echoMetadata({ metadata, header, trailer }: CallContext): void {
  for (const value of metadata.get(initialKey)) header.set(initialKey, value);
  for (const value of metadata.get(trailingKey)) trailer.set(trailingKey, value);
}
