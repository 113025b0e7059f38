import { once } from 'node:events';
import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { until } from '../../testing/until.ts';
import { ok, start, stopAll } from './testing/started.ts';
import { Recorder, later, unary } from './testing/scripted-server.ts';

afterEach(stopAll);

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

  test('many calls that are taken back cut no other: the connection is replaced before the server ends it for them', async () => {
    const held: ServerHttp2Stream[] = [];
    /** How many streams were reset on each connection. */
    const resets = new Map<unknown, number>();
    let seen = 0;
    let taken = 0;
    const { transport } = await start((stream, headers) => {
      const { session } = stream;
      seen += 1;
      stream.once('close', () => {
        if (stream.rstCode !== constants.NGHTTP2_NO_ERROR)
          resets.set(session, (resets.get(session) ?? 0) + 1);
      });
      if (headers[':path'] === '/a/Held') held.push(stream);
    });
    const kept = Array.from({ length: 5 }, () => unary(transport, '/a/Held'));
    for (const atOnce of [1, 10, 100, 100, 100, 100, 600, 1_000]) {
      const calls = Array.from({ length: atOnce }, () =>
        transport.call('/a/B', { metadata: [], deadline: later() }, new Recorder()),
      );
      taken += atOnce;
      await until(() => seen === kept.length + taken);
      for (const call of calls) call.cancel();
    }
    await until(() => [...resets.values()].reduce((sum, each) => sum + each, 0) === taken);
    expect(Math.max(...resets.values())).toBeLessThan(250);
    for (const stream of held) ok(stream);
    for (const { status: end } of await Promise.all(kept)) expect(end.code).toBe(0);
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
