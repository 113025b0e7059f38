import type { IncomingHttpHeaders, ServerHttp2Stream, ServerOptions } from 'node:http2';
import type { Socket } from 'node:net';
import { answer, startPeer, startRaw } from './scripted-server.ts';
import type { Peer } from './scripted-server.ts';
import { createTransport } from '../transport.ts';
import type { TransportOptions } from '../transport.ts';
import type { Transport } from '../types.ts';

const cleanups: (() => unknown)[] = [];

/** Has something done by stopAll(), before what was there earlier. */
export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** Stops everything that was started, the last first. */
export async function stopAll(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export function client(address: string, options: TransportOptions = {}): Transport {
  const transport = createTransport(address, options);
  atEnd(() => {
    transport.close();
  });
  return transport;
}

/** A peer, and a transport to it. */
export async function start(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  options: { readonly client?: TransportOptions | undefined; readonly server?: ServerOptions } = {},
): Promise<{ peer: Peer; transport: Transport }> {
  const peer = await startPeer(onStream, options.server);
  atEnd(peer.stop);
  return { peer, transport: client(peer.address, options.client) };
}

/** The address of a peer of bytes, whatever they are. */
export async function startBytes(onSocket: (socket: Socket) => void): Promise<string> {
  const { address, stop } = await startRaw(onSocket);
  atEnd(stop);
  return address;
}

/** The head of an answer. */
export const grpc = { ':status': 200, 'content-type': 'application/grpc' };

export const ok = (stream: ServerHttp2Stream): void => {
  answer(stream, [Buffer.from('x')]);
};
