import { status } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import streamDecoder from '@grpc/grpc-js/build/src/stream-decoder.js';
import subchannelCall from '@grpc/grpc-js/build/src/subchannel-call.js';
import { MessageDecoder } from './decoder.ts';

/**
 * What grpc-js 1.14.7 does not do by itself, put right in the library as it is loaded: it takes a stream that ends within a
 * message for one that ended before it, in servers and in clients, which loses data without a word. Its parts are private,
 * so the version is pinned; server/adapter.ts looks at the requests' end, and the tests of cut streams fail with a version
 * whose parts are others.
 */
(streamDecoder as { StreamDecoder: unknown }).StreamDecoder = MessageDecoder;

/** What is used of a call of a client, which is private in grpc-js. */
interface SubchannelCall {
  readonly decoder: MessageDecoder;
  finalStatus: StatusObject | null;
  outputStatus: (this: SubchannelCall) => void;
}

const calls = subchannelCall.Http2SubchannelCall.prototype as unknown as SubchannelCall;
const { outputStatus } = calls;
calls.outputStatus = function () {
  if (this.finalStatus?.code === status.OK && !this.decoder.between) {
    const { metadata } = this.finalStatus;
    this.finalStatus = { code: status.INTERNAL, details: 'the answer ends within a message', metadata };
  }
  outputStatus.call(this);
};
