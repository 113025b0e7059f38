import { once } from 'node:events';
import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { grpc, start, stopAll } from './testing/started.ts';
import { Recorder, answer, framed, later, unary } from './testing/scripted-server.ts';

afterEach(stopAll);

describe('the end by this side', () => {
  const silentPeer = async () => {
    const codes: number[] = [];
    const streams: ServerHttp2Stream[] = [];
    const { transport } = await start((stream) => {
      streams.push(stream);
      stream.on('close', () => codes.push(stream.rstCode));
      stream.respond(grpc);
    });
    return { codes, streams, transport };
  };

  test('at the deadline: DEADLINE_EXCEEDED here, RST_STREAM with CANCEL there', async () => {
    const { codes, streams, transport } = await silentPeer();
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: Date.now() + 1_500 }, recorder);
    await recorder.until(({ headers }) => headers.length === 1);
    const result = await recorder.ended;
    const message = 'the deadline was exceeded';
    expect(result).toEqual({ code: status.DEADLINE_EXCEEDED, message, trailers: [], from: 'transport' });
    if (!streams[0]!.closed) await once(streams[0]!, 'close');
    expect(codes).toEqual([constants.NGHTTP2_CANCEL]);
  });

  test('a deadline that is over: nothing is sent', async () => {
    const { streams, transport } = await silentPeer();
    const recorder = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: Date.now() - 1 }, recorder);
    expect(recorder.ends).toBe(0);
    expect(await recorder.ended).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(streams).toHaveLength(0);
  });

  test('cancel(): CANCELLED here and there, once', async () => {
    const { codes, streams, transport } = await silentPeer();
    const recorder = new Recorder();
    const call = transport.call('/a/B', { metadata: [], deadline: Infinity }, recorder);
    await recorder.until(({ headers }) => headers.length === 1);
    call.cancel();
    call.cancel();
    const message = 'the call was cancelled';
    expect(await recorder.ended).toEqual({
      code: status.CANCELLED,
      message,
      trailers: [],
      from: 'transport',
    });
    if (!streams[0]!.closed) await once(streams[0]!, 'close');
    expect(codes).toEqual([constants.NGHTTP2_CANCEL]);
    expect(recorder.ends).toBe(1);
  });
});

describe('pause()', () => {
  test('stops the sender within the window, and resume() loses nothing', async () => {
    const total = 4_000;
    let written = 0;
    const { transport } = await start((stream, headers) => {
      if (headers[':path'] !== '/test.Echo/Many') {
        answer(stream, [Buffer.from('x')]);
        return;
      }
      stream.respond(grpc, { waitForTrailers: true });
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0' });
      });
      const more = () => {
        while (written < total) {
          written += 1;
          const message = Buffer.alloc(1_000);
          message.writeUInt32BE(written);
          if (!stream.write(framed(message))) return;
        }
        stream.end();
      };
      stream.on('drain', more);
      more();
    });
    const recorder = new Recorder();
    const call = transport.call('/test.Echo/Many', { metadata: [], deadline: later() }, recorder);
    call.endSend();
    await recorder.until(({ messages }) => messages.length > 0);
    call.pause();
    const seen = recorder.messages.length;
    // The sender goes on until its window is used up; other calls go through meanwhile.
    let before = -1;
    while (before !== written) {
      before = written;
      for (let at = 0; at < 10; at += 1) expect((await unary(transport)).status.code).toBe(0);
    }
    expect(recorder.messages).toHaveLength(seen);
    expect(written).toBeLessThan(1_000);
    call.resume();
    expect(await recorder.ended).toMatchObject({ code: 0 });
    expect(recorder.messages.map((bytes) => Buffer.from(bytes).readUInt32BE())).toEqual(
      Array.from({ length: total }, (_, at) => at + 1),
    );
  });

  test('within message() holds the rest of the same piece, and the end', async () => {
    const { transport } = await start((stream) => {
      answer(stream, [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
    });
    const recorder = new Recorder();
    const call = transport.call(
      '/a/B',
      { metadata: [], deadline: later() },
      {
        header: () => undefined,
        message: (bytes) => {
          call.pause();
          recorder.message(bytes);
        },
        writable: () => undefined,
        end: (result) => {
          recorder.end(result);
        },
        thrown: (error) => {
          recorder.thrown(error);
        },
      },
    );
    call.endSend();
    for (let count = 1; count <= 3; count += 1) {
      await recorder.until(({ messages }) => messages.length === count);
      await unary(transport);
      expect(recorder.messages).toHaveLength(count);
      call.resume();
    }
    expect(await recorder.ended).toMatchObject({ code: 0 });
  });
});

describe('A1: a listener that throws', () => {
  test.each(['header', 'message', 'writable', 'end'] as const)(
    'in %s() ends its call, is told so, and no other call notices',
    async (name) => {
      const codes: number[] = [];
      const { transport } = await start((stream, headers) => {
        if (headers[':path'] !== '/test.Echo/Odd') {
          stream.once('close', () => codes.push(stream.rstCode));
          answer(stream, [Buffer.from('x')]);
          return;
        }
        stream.resume();
        stream.respond(grpc, { waitForTrailers: true });
        stream.once('wantTrailers', () => {
          stream.sendTrailers({ 'grpc-status': '0' });
        });
        stream.write(framed(Buffer.from('x')));
        stream.once('end', () => stream.end());
      });
      const recorder = new Recorder();
      const error = new Error('thrown by a test');
      recorder[name] = () => {
        throw error;
      };
      const others = Array.from({ length: 5 }, () => unary(transport));
      const call = transport.call('/test.Echo/Odd', { metadata: [], deadline: later() }, recorder);
      // More than a stream takes at once.
      call.send(Buffer.alloc(400_000));
      if (name === 'end') call.endSend();
      await recorder.until(({ errors }) => errors.length > 0);
      expect(recorder.errors).toEqual([error]);
      expect(recorder.ends).toBe(0);
      for (const { status: end } of await Promise.all(others)) expect(end.code).toBe(0);
      expect((await unary(transport)).status.code).toBe(0);
    },
  );
});
