import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import resolvingCall from '@grpc/grpc-js/build/src/resolving-call.js';
import subchannelCall from '@grpc/grpc-js/build/src/subchannel-call.js';
import type { MessageDecoder } from './decoder.ts';

/** The part of mended.ts that is about calls of clients. What is used of them is private in grpc-js. */

interface SubchannelCall {
  readonly decoder: MessageDecoder;
  readonly http2Stream: ClientHttp2Stream;
  readonly unpushedReadMessages: unknown[];
  readonly isPushPending: boolean;
  canPush: boolean;
  readsClosed: boolean;
  finalStatus: StatusObject | null;
  /** Set here: the server ended the call, with a status of its own. */
  isTold?: boolean;
  outputStatus: (this: SubchannelCall) => void;
  maybeOutputStatus: (this: SubchannelCall) => void;
  handleTrailers: (this: SubchannelCall, headers: IncomingHttpHeaders) => void;
  endCall: (this: SubchannelCall, ended: StatusObject) => void;
  cancelWithStatus: (this: SubchannelCall, code: status, details: string) => void;
  startRead: (this: SubchannelCall) => void;
  push: (this: SubchannelCall, message: unknown) => void;
}

const calls = subchannelCall.Http2SubchannelCall.prototype as unknown as SubchannelCall;
const { outputStatus, maybeOutputStatus, handleTrailers, endCall, cancelWithStatus, startRead } = calls;

// An answer that ends within a message is not whole, whatever its status says.
calls.outputStatus = function () {
  if (this.finalStatus?.code === status.OK && !this.decoder.between) {
    const { metadata } = this.finalStatus;
    this.finalStatus = {
      code: status.INTERNAL,
      details: 'the answer ends in the middle of a message',
      metadata,
    };
  }
  outputStatus.call(this);
};

// A server's error comes after the messages before it, as its OK does; grpc-js drops those that were not read yet, which are
// often all that came with the error at once. What the client itself ends a call with (a deadline, a cancellation) waits for
// nothing.
calls.handleTrailers = function (headers) {
  if (this.finalStatus === null) this.isTold = true;
  handleTrailers.call(this, headers);
};

/** Whether messages wait to be read before the error that the server ended the call with. */
function waits(call: SubchannelCall): boolean {
  return (
    call.isTold === true &&
    (call.isPushPending ||
      call.unpushedReadMessages.length > 0 ||
      (!call.readsClosed && call.http2Stream.readableLength > 0))
  );
}

calls.maybeOutputStatus = function () {
  if (!waits(this)) maybeOutputStatus.call(this);
};

calls.startRead = function () {
  if (this.finalStatus === null || !waits(this)) {
    startRead.call(this);
    return;
  }
  this.canPush = true;
  if (this.unpushedReadMessages.length > 0) this.push(this.unpushedReadMessages.shift());
  else this.http2Stream.resume();
};

calls.endCall = function (ended) {
  const { finalStatus } = this;
  endCall.call(this, ended);
  if (finalStatus === null || finalStatus.code === status.OK) return;
  // The stream is gone: what was not decoded does not come any more.
  this.readsClosed = true;
  this.maybeOutputStatus();
};

calls.cancelWithStatus = function (code, details) {
  this.isTold = false;
  cancelWithStatus.call(this, code, details);
};

interface ResolvingCall {
  cancelWithStatus: (this: ResolvingCall, code: status | undefined, details: string | undefined) => void;
}

const resolving = resolvingCall.ResolvingCall.prototype as unknown as ResolvingCall;
const { cancelWithStatus: cancelResolving } = resolving;

// A message that cannot be decompressed, for want of an encoding or of a known one, ends its call with INTERNAL
// (compression.md); grpc-js ends it without a code and without a word.
resolving.cancelWithStatus = function (code, details) {
  cancelResolving.call(
    this,
    code ?? status.INTERNAL,
    details ?? 'an answer is compressed in a way that its grpc-encoding does not say, or that is unknown',
  );
};
