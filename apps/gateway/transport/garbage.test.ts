import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { client, atEnd, stopAll } from './testing/started.ts';
import { Recorder, framed, later, startRaw, unary } from './testing/scripted-server.ts';
import {
  dataFrame,
  frame,
  goawayFrame,
  headersFrame,
  literal,
  onHeaders,
  settingsFrame,
  trailersFrame,
} from './testing/wire-frames.ts';

afterEach(stopAll);

/** A transport to a peer of bytes, and how many connections it had. */
async function start(onSocket: (socket: Socket, number: number) => void) {
  const sockets: Socket[] = [];
  const { address, stop } = await startRaw((socket, number) => {
    sockets.push(socket);
    onSocket(socket, number);
  });
  atEnd(stop);
  return { transport: client(address), sockets, address };
}

/** What no peer may send: a PING of 1 byte, DATA on stream 0, and what is no frame at all. */
const garbage: readonly (readonly [string, Buffer])[] = [
  ['a PING that is too short', Buffer.from([0, 0, 1, 6, 0, 0, 0, 0, 0, 0])],
  ['DATA on stream 0', dataFrame(0, Buffer.from('x'))],
  ['a WINDOW_UPDATE of nothing', Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
  ['HEADERS that HPACK cannot read', Buffer.from([0, 0, 2, 1, 5, 0, 0, 0, 1, 0xff, 0xff])],
  ['bytes that are no frame', Buffer.alloc(64, 0xff)],
];

function answerOn(socket: Socket): void {
  socket.write(settingsFrame);
  onHeaders(socket, (id) => {
    socket.write(
      Buffer.concat([headersFrame(id), dataFrame(id, framed(Buffer.from('x'))), trailersFrame(id)]),
    );
  });
}

describe('A5: a session that the peer has broken', () => {
  test.each(garbage)('%s: its calls end, and the next one connects anew', async (_, bytes) => {
    const { transport, sockets } = await start((socket, number) => {
      if (number > 1) {
        answerOn(socket);
        return;
      }
      socket.write(settingsFrame);
      let calls = 0;
      onHeaders(socket, () => {
        calls += 1;
        if (calls === 3) socket.write(bytes);
      });
    });
    const ends = await Promise.all(Array.from({ length: 3 }, () => unary(transport)));
    for (const { status: end } of ends) {
      expect(end).toMatchObject({ code: status.UNAVAILABLE, from: 'transport' });
      expect(end.message).toMatch(/^connection lost: /);
    }
    expect((await unary(transport)).status).toMatchObject({ code: 0 });
    expect(sockets).toHaveLength(2);
  });

  test.each(garbage)(
    '%s, before any call could be sent, again and again: each call ends',
    async (_, bytes) => {
      const { transport, sockets } = await start((socket) => {
        socket.write(Buffer.concat([settingsFrame, bytes]));
      });
      const calls = 20;
      const ends = await Promise.all(Array.from({ length: calls }, () => unary(transport)));
      for (const { status: end, recorder } of ends) {
        expect(end).toMatchObject({ code: status.UNAVAILABLE, from: 'transport' });
        expect(recorder.ends).toBe(1);
      }
      expect(sockets.length).toBeLessThanOrEqual(calls);
    },
  );

  test('a call made as its session breaks ends, and soon one connects anew', async () => {
    const { transport, sockets } = await start((socket, number) => {
      if (number > 1) {
        answerOn(socket);
        return;
      }
      socket.write(settingsFrame);
      onHeaders(socket, (id) => {
        socket.write(
          Buffer.concat([
            headersFrame(id),
            dataFrame(id, framed(Buffer.from('x'))),
            trailersFrame(id),
            Buffer.alloc(64, 0xff),
          ]),
        );
      });
    });
    const first = new Recorder();
    const second = Promise.withResolvers<Awaited<ReturnType<typeof unary>>>();
    const end = first.end.bind(first);
    first.end = (result) => {
      end(result);
      second.resolve(unary(transport));
    };
    transport.call('/a/B', { metadata: [], deadline: later() }, first).endSend();
    expect(await first.ended).toMatchObject({ code: 0 });
    // Until the session is over, which takes some turns of the event loop.
    for (
      let { status: end } = await second.promise;
      end.code !== 0;
      { status: end } = await unary(transport)
    ) {
      expect(end).toMatchObject({ code: status.UNAVAILABLE, from: 'transport' });
    }
    expect(sockets).toHaveLength(2);
  });

  test('GOAWAY for every call on every connection: a call is tried a few times, and ends', async () => {
    let seen = 0;
    const { transport, sockets } = await start((socket) => {
      socket.write(settingsFrame);
      onHeaders(socket, () => {
        seen += 1;
        socket.write(goawayFrame(0));
      });
    });
    expect((await unary(transport)).status).toMatchObject({
      code: status.UNAVAILABLE,
      message: 'the peer refused the stream',
    });
    expect(seen).toBe(2);
    expect(sockets).toHaveLength(2);
  });
});

test('A8: informational answers without end are ended', async () => {
  const informed = (id: number) => frame(1, 4, id, literal(':status', '103'));
  const { transport, sockets } = await start((socket) => {
    socket.write(settingsFrame);
    onHeaders(socket, (id) => {
      const few = Array.from({ length: 20 }, () => informed(id));
      const rest = Buffer.concat([
        headersFrame(id),
        dataFrame(id, framed(Buffer.from('x'))),
        trailersFrame(id),
      ]);
      socket.write(Buffer.concat([...few, id === 1 ? rest : informed(id)]));
    });
  });
  expect((await unary(transport)).status).toMatchObject({ code: 0 });
  expect((await unary(transport)).status).toEqual({
    code: status.INTERNAL,
    message: 'the peer sent more than 20 informational answers (1xx)',
    trailers: [],
    from: 'transport',
  });
  expect(sockets).toHaveLength(1);
});
