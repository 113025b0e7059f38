import { once } from 'node:events';
import { constants } from 'node:http2';
import type { ServerHttp2Stream, ServerOptions } from 'node:http2';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { freePort } from '../../testing/free-port.ts';
import { Recorder, answer, later, startPeer, startRaw, unary } from './testing.ts';
import type { Peer } from './testing.ts';
import type { TransportOptions } from './transport.ts';
import { createTransport } from './transport.ts';
import type { Transport } from './types.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function client(address: string, options: TransportOptions = {}): Transport {
  const transport = createTransport(address, options);
  cleanups.push(() => {
    transport.close();
  });
  return transport;
}

async function start(
  onStream: (stream: ServerHttp2Stream) => void,
  options?: ServerOptions,
): Promise<{ peer: Peer; transport: Transport }> {
  const peer = await startPeer(onStream, options);
  cleanups.push(peer.stop);
  return { peer, transport: client(peer.address) };
}

async function raw(onSocket: (socket: Socket) => void): Promise<string> {
  const { address, stop } = await startRaw(onSocket);
  cleanups.push(stop);
  return address;
}

/** A SETTINGS frame that leaves everything as it is: length, type 4, flags, stream. */
const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

const ok = (stream: ServerHttp2Stream) => {
  answer(stream, [Buffer.from('x')]);
};

describe('connecting', () => {
  test('happens at the first call, and once for calls at the same time', async () => {
    const { peer, transport } = await start(ok);
    expect(peer.sessions).toHaveLength(0);
    const ends = await Promise.all(Array.from({ length: 50 }, () => unary(transport)));
    expect(ends.map(({ status: { code } }) => code)).toEqual(Array.from({ length: 50 }, () => 0));
    expect(peer.sessions).toHaveLength(1);
  });

  test('that fails: calls that wait, and those of the time after, are UNAVAILABLE; then it is tried anew', async () => {
    // The time between attempts passes when the test says so.
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1_000_000);
    const port = await freePort();
    const transport = client(`127.0.0.1:${port}`);
    const message = `no connection to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`;
    const unavailable = { code: status.UNAVAILABLE, message, trailers: [], from: 'transport' };
    expect((await unary(transport)).status).toEqual(unavailable);
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: later() }, recorder);
    expect(recorder.ends).toBe(0);
    expect(await recorder.ended).toEqual(unavailable);
    const server = createServer((socket) => socket.destroy());
    server.listen(port, '127.0.0.1');
    cleanups.push(() => server.close());
    await once(server, 'listening');
    expect((await unary(transport)).status).toEqual(unavailable);
    // The longest that the first wait can be.
    clock.mockReturnValue(1_000_240);
    const last = (await unary(transport)).status.message;
    expect(last).toMatch(`no connection to 127.0.0.1:${port}: `);
    expect(last).not.toContain('ECONNREFUSED');
  });

  test('ahead of the first call saves it the way', async () => {
    const { peer, transport } = await start(ok);
    expect(await Promise.all([transport.connect(), transport.connect()])).toEqual([undefined, undefined]);
    expect(await transport.connect()).toBeUndefined();
    expect((await unary(transport)).status.code).toBe(0);
    expect(peer.sockets).toHaveLength(1);
  });

  test('ahead of the first call tells why it fails, and once more while it is not tried anew', async () => {
    jest.spyOn(performance, 'now').mockReturnValue(1_000_000);
    const address = `127.0.0.1:${await freePort()}`;
    const transport = client(address);
    const message = `no connection to ${address}: connect ECONNREFUSED ${address}`;
    expect(await transport.connect()).toBe(message);
    expect(await transport.connect()).toBe(message);
    transport.close();
    expect(await transport.connect()).toBe(`no connection to ${address}: the transport was closed`);
  });

  test('ahead of the first call ends with the transport', async () => {
    const address = await raw(() => undefined);
    const transport = client(address);
    const connected = transport.connect();
    transport.close();
    expect(await connected).toBe(`no connection to ${address}: the transport was closed`);
  });

  test('to a peer that says nothing ends in time', async () => {
    const address = await raw(() => undefined);
    const transport = client(address, { connectTimeoutMs: 100 });
    expect((await unary(transport)).status).toMatchObject({
      code: status.UNAVAILABLE,
      message: `no connection to ${address}: not established within 100 ms`,
    });
  });

  test('to a peer that speaks HTTP/1.1 fails', async () => {
    const address = await raw((socket) => {
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const { code, message } = (await unary(client(address))).status;
    expect({ code, message }).toEqual({
      code: status.UNAVAILABLE,
      message: `no connection to ${address}: Protocol error`,
    });
  });

  test('a deadline is kept while waiting for it', async () => {
    const address = await raw(() => undefined);
    const recorder = new Recorder();
    client(address).call('/a/B', { metadata: [], deadline: Date.now() + 50 }, recorder);
    expect(await recorder.ended).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  test('a call may be cancelled while waiting for it', async () => {
    const address = await raw(() => undefined);
    const recorder = new Recorder();
    client(address).call('/a/B', { metadata: [], deadline: later() }, recorder).cancel();
    expect(await recorder.ended).toMatchObject({ code: status.CANCELLED });
  });
});

describe('a connection that ends', () => {
  test('cuts its calls with UNAVAILABLE, and the next call makes another', async () => {
    let first = true;
    const { peer, transport } = await start((stream) => {
      if (first) stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      else ok(stream);
    });
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: later() }, recorder);
    await recorder.until(({ headers }) => headers.length === 1);
    peer.sockets[0]!.destroy();
    expect(await recorder.ended).toEqual({
      code: status.UNAVAILABLE,
      message: 'connection lost: closed by the peer',
      trailers: [],
      from: 'transport',
    });
    first = false;
    expect((await unary(transport)).status.code).toBe(0);
  });

  test('GOAWAY: calls in flight finish, new ones go over a new connection', async () => {
    const held: ServerHttp2Stream[] = [];
    const sessions = new Set<unknown>();
    const { peer, transport } = await start((stream) => {
      sessions.add(stream.session);
      if (sessions.size === 1) held.push(stream);
      else ok(stream);
    });
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: later() }, recorder).endSend();
    while (held.length === 0) await once(peer.server, 'stream');
    held[0]!.session!.close();
    while (sessions.size < 2) {
      const probe = unary(transport);
      await once(peer.server, 'stream');
      if (sessions.size === 2) expect((await probe).status.code).toBe(0);
    }
    expect(recorder.ends).toBe(0);
    ok(held[0]!);
    expect(await recorder.ended).toMatchObject({ code: 0 });
  });

  test('GOAWAY with an error names it', async () => {
    const { transport } = await start((stream) => {
      stream.session!.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, stream.id, Buffer.from('too_many_pings'));
    });
    expect((await unary(transport)).status).toMatchObject({
      code: status.UNAVAILABLE,
      message: 'connection lost: GOAWAY ENHANCE_YOUR_CALM (too_many_pings)',
    });
  });

  test('calls above the last stream id are made again, once, whole', async () => {
    let seen = 0;
    const bodies: string[] = [];
    let held: ServerHttp2Stream | undefined;
    const { transport } = await start((stream) => {
      seen += 1;
      if (seen === 1) {
        held = stream;
        return;
      }
      if (seen === 2) {
        stream.session!.goaway(constants.NGHTTP2_NO_ERROR, held!.id);
        ok(held!);
        return;
      }
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        bodies.push(Buffer.concat(pieces).toString('latin1'));
        ok(stream);
      });
    });
    const ends = await Promise.all(['one', 'two'].map((body) => unary(transport, '/a/B', Buffer.from(body))));
    for (const { status: end, recorder } of ends) {
      expect(end.code).toBe(0);
      expect(recorder.messages).toHaveLength(1);
    }
    expect(bodies).toEqual(['\0\0\0\0\x03two']);
    expect(seen).toBe(3);
  });

  test('a refused stream is made again, once', async () => {
    let seen = 0;
    const { transport } = await start((stream) => {
      seen += 1;
      if (seen === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else ok(stream);
    });
    expect((await unary(transport)).status.code).toBe(0);
    expect(seen).toBe(2);
  });

  test('loses no call when connections are renewed again and again under load', async () => {
    let seen = 0;
    const used = new Set<unknown>();
    const { transport } = await start((stream) => {
      seen += 1;
      used.add(stream.session);
      if (seen % 100 === 0) stream.session!.close();
      setImmediate(ok, stream);
    });
    let left = 4_000;
    const failed: unknown[] = [];
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        while (left > 0) {
          left -= 1;
          const { status: end } = await unary(transport);
          if (end.code !== 0) failed.push(end);
        }
      }),
    );
    expect(failed).toEqual([]);
    expect(used.size).toBeGreaterThan(20);
  });
});

describe('streams at the same time', () => {
  test('stay within what the peer allows; more connections are made, and calls wait for room', async () => {
    const open = new Map<unknown, number>();
    let most = 0;
    const { peer, transport } = await start(
      (stream) => {
        const count = (open.get(stream.session) ?? 0) + 1;
        const { session } = stream;
        open.set(session, count);
        most = Math.max(most, count);
        stream.once('close', () => open.set(session, (open.get(session) ?? 0) - 1));
        setImmediate(ok, stream);
      },
      { settings: { maxConcurrentStreams: 3 } },
    );
    const ends = await Promise.all(Array.from({ length: 300 }, () => unary(transport)));
    expect(ends.filter(({ status: { code } }) => code !== 0)).toEqual([]);
    expect(most).toBeLessThanOrEqual(3);
    expect(peer.sessions.length).toBeGreaterThan(1);
    expect(peer.sessions.length).toBeLessThanOrEqual(8);
  });

  test('a call that waits for room ends at its deadline', async () => {
    const { transport } = await start(() => undefined, { settings: { maxConcurrentStreams: 1 } });
    // One for each connection that may be made; none of them is answered.
    for (let at = 0; at < 8; at += 1) {
      transport.call('/a/B', { metadata: [], deadline: later() }, new Recorder());
    }
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: Date.now() + 100 }, recorder);
    expect(await recorder.ended).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      message: 'the deadline was exceeded',
    });
  });
});

describe('keepalive', () => {
  test('a peer that answers no PING is given up', async () => {
    const address = await raw((socket) => {
      socket.write(emptySettings);
      socket.resume();
    });
    const transport = client(address, { keepaliveMs: 50, keepaliveTimeoutMs: 50 });
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: later() }, recorder);
    const message = 'connection lost: no answer to a PING within 50 ms';
    expect(await recorder.ended).toMatchObject({ code: status.UNAVAILABLE, message });
  });

  test('a peer that answers is kept', async () => {
    const held: ServerHttp2Stream[] = [];
    const { peer } = await start((stream) => held.push(stream));
    const transport = client(peer.address, { keepaliveMs: 20, keepaliveTimeoutMs: 20_000 });
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: later() }, recorder).endSend();
    await once(peer.server, 'stream');
    for (let pings = 0; pings < 3; pings += 1) await once(peer.sessions[0]!, 'ping');
    ok(held[0]!);
    expect(await recorder.ended).toMatchObject({ code: 0 });
  });
});

describe('the end', () => {
  test('drain() lets calls finish, takes no new ones, and closes the connections', async () => {
    const held: ServerHttp2Stream[] = [];
    const { peer, transport } = await start((stream) => held.push(stream));
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: later() }, recorder).endSend();
    await once(peer.server, 'stream');
    const drained = transport.drain();
    expect((await unary(transport)).status).toMatchObject({
      code: status.UNAVAILABLE,
      message: 'the transport takes no new calls',
    });
    const gone = once(peer.sessions[0]!, 'close');
    ok(held[0]!);
    expect(await recorder.ended).toMatchObject({ code: 0 });
    await drained;
    await gone;
  });

  test('close() ends calls with UNAVAILABLE, those that wait too', async () => {
    const { peer, transport } = await start(() => undefined);
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: later() }, recorder);
    await once(peer.server, 'stream');
    const gone = once(peer.sessions[0]!, 'close');
    transport.close();
    const closed = { code: status.UNAVAILABLE, message: 'the transport was closed' };
    expect(await recorder.ended).toMatchObject(closed);
    await gone;
  });
});
