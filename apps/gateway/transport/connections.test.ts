import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { freePort } from '../../testing/free-port.ts';
import { atEnd, client, ok, start, startBytes, stopAll } from './testing/started.ts';
import { Recorder, later, unary } from './testing/scripted-server.ts';

afterEach(async () => {
  jest.restoreAllMocks();
  await stopAll();
});

/** A SETTINGS frame that leaves everything as it is: length, type 4, flags, stream. */
const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

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
    atEnd(() => server.close());
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
    const address = await startBytes(() => undefined);
    const transport = client(address);
    const connected = transport.connect();
    transport.close();
    expect(await connected).toBe(`no connection to ${address}: the transport was closed`);
  });

  test('to a peer that says nothing ends in time', async () => {
    const address = await startBytes(() => undefined);
    const transport = client(address, { connectTimeoutMs: 100 });
    expect((await unary(transport)).status).toMatchObject({
      code: status.UNAVAILABLE,
      message: `no connection to ${address}: not established within 100 ms`,
    });
  });

  test('to a peer that speaks HTTP/1.1 fails', async () => {
    const address = await startBytes((socket) => {
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const { code, message } = (await unary(client(address))).status;
    expect({ code, message }).toEqual({
      code: status.UNAVAILABLE,
      message: `no connection to ${address}: Protocol error`,
    });
  });

  test('a deadline is kept while waiting for it', async () => {
    const address = await startBytes(() => undefined);
    const recorder = new Recorder();
    client(address).call('/a/B', { metadata: [], deadline: Date.now() + 50 }, recorder);
    expect(await recorder.ended).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  test('a call may be cancelled while waiting for it', async () => {
    const address = await startBytes(() => undefined);
    const recorder = new Recorder();
    client(address).call('/a/B', { metadata: [], deadline: later() }, recorder).cancel();
    expect(await recorder.ended).toMatchObject({ code: status.CANCELLED });
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
      { server: { settings: { maxConcurrentStreams: 3 } } },
    );
    const ends = await Promise.all(Array.from({ length: 300 }, () => unary(transport)));
    expect(ends.filter(({ status: { code } }) => code !== 0)).toEqual([]);
    expect(most).toBeLessThanOrEqual(3);
    expect(peer.sessions.length).toBeGreaterThan(1);
    expect(peer.sessions.length).toBeLessThanOrEqual(8);
  });

  test('a call that waits for room ends at its deadline', async () => {
    const { transport } = await start(() => undefined, { server: { settings: { maxConcurrentStreams: 1 } } });
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
    const address = await startBytes((socket) => {
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
