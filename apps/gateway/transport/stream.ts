import type { ClientHttp2Stream } from 'node:http2';

/** Who hears of a stream. */
export interface StreamListener {
  /** An informational answer, 1xx. */
  informed(): void;
  /** @param raw - name after value after name */
  response(raw: readonly string[], flags: number): void;
  data(chunk: Uint8Array): void;
  trailers(raw: readonly string[]): void;
  /** The peer ended the stream's data, and sent no trailers. */
  halfClosed(): void;
  drain(): void;
  closed(): void;
}

const listenerKey = Symbol('listener');

/** A stream that knows its listener, so that the functions below are the same for all streams. */
interface HeardStream extends ClientHttp2Stream {
  [listenerKey]?: StreamListener | undefined;
}

/** Tells a listener of a stream's events. Each one costs: those that few calls need are asked for when they do. */
export function listen(stream: HeardStream, listener: StreamListener): void {
  stream[listenerKey] = listener;
  stream.on('headers', onHeaders);
  stream.on('response', onResponse);
  stream.on('data', onData);
  stream.on('trailers', onTrailers);
  stream.on('error', onError);
  stream.on('close', onClose);
}

/** Tells when more may be written, once. */
export function listenToDrain(stream: HeardStream): void {
  stream.once('drain', onDrain);
}

/** Tells when the peer ended its half while the other is open; otherwise that closes the stream. */
export function listenToEnd(stream: HeardStream): void {
  stream.once('end', onEnd);
}

/** Tells nothing more, and lets go of the listener: node:http2 may hold a stream long after its end (see bag.ts). */
export function forget(stream: HeardStream): void {
  stream[listenerKey] = undefined;
}

function onHeaders(this: HeardStream): void {
  this[listenerKey]?.informed();
}

function onResponse(this: HeardStream, _headers: unknown, flags: number, raw: readonly string[]): void {
  this[listenerKey]?.response(raw, flags);
}

function onData(this: HeardStream, chunk: Uint8Array): void {
  this[listenerKey]?.data(chunk);
}

function onTrailers(this: HeardStream, ...args: readonly unknown[]): void {
  this[listenerKey]?.trailers(args[2] as readonly string[]);
}

function onDrain(this: HeardStream): void {
  this[listenerKey]?.drain();
}

function onEnd(this: HeardStream): void {
  this[listenerKey]?.halfClosed();
}

function onClose(this: HeardStream): void {
  this[listenerKey]?.closed();
}

/** What an error means is told by the code that the stream is closed with. */
function onError(): void {
  return;
}
