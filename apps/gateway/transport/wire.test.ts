import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  dataFrame,
  goawayFrame,
  headersFrame,
  onHeaders,
  settingsFrame,
  trailersFrame,
} from './testing/wire-frames.ts';
import { Recorder, answer, framed, later, startPeer, startRaw, unary } from './testing/scripted-server.ts';
import { createTransport } from './transport.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function raw(onSocket: (socket: Socket, number: number) => void): Promise<string> {
  const { address, stop } = await startRaw(onSocket);
  cleanups.push(stop);
  return address;
}

function client(address: string) {
  const transport = createTransport(address);
  cleanups.push(() => {
    transport.close();
  });
  return transport;
}

/** What a listener was told, in order. */
function orderOf(): { readonly told: string[]; readonly listener: Recorder } {
  const told: string[] = [];
  const listener = new Recorder();
  for (const name of ['header', 'message', 'end'] as const) {
    const tell = (listener[name] as (value: unknown) => void).bind(listener);
    listener[name] = (value: unknown) => {
      told.push(name);
      tell(value);
    };
  }
  return { told, listener };
}

describe('bytes of the wire', () => {
  test('a whole answer in one piece is told in order', async () => {
    const address = await raw((socket) => {
      socket.write(settingsFrame);
      onHeaders(socket, (id) => {
        socket.write(
          Buffer.concat([
            headersFrame(id),
            dataFrame(id, framed(Buffer.from('a'))),
            dataFrame(id, framed(Buffer.from('b'))),
            trailersFrame(id),
          ]),
        );
      });
    });
    const { told, listener } = orderOf();
    client(address).call('/a/B', { metadata: [], deadline: later() }, listener).endSend();
    expect(await listener.ended).toMatchObject({ code: 0 });
    expect(told).toEqual(['header', 'message', 'message', 'end']);
  });

  test('messages are the same however DATA frames and packets cut them', async () => {
    let script: { readonly bytes: Buffer; readonly frames: number[]; readonly packets: number[] };
    const address = await raw((socket) => {
      socket.write(settingsFrame);
      onHeaders(socket, (id) => {
        const pieces = cut(script.bytes, script.frames).map((piece) => dataFrame(id, piece));
        const bytes = Buffer.concat([headersFrame(id), ...pieces, trailersFrame(id)]);
        const packets = cut(bytes, script.packets);
        const next = () => {
          const packet = packets.shift();
          if (packet !== undefined) socket.write(packet, () => setImmediate(next));
        };
        next();
      });
    });
    const transport = client(address);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 5 }),
        fc.array(fc.nat(200), { maxLength: 12 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        async (messages, frames, packets) => {
          script = { bytes: Buffer.concat(messages.map((message) => framed(message))), frames, packets };
          const { told, listener } = orderOf();
          transport.call('/a/B', { metadata: [], deadline: later() }, listener).endSend();
          expect(await listener.ended).toMatchObject({ code: 0 });
          expect(listener.messages.map((message) => [...message])).toEqual(
            messages.map((message) => [...message]),
          );
          expect(told).toEqual(['header', ...messages.map(() => 'message'), 'end']);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([[1], [2 ** 31 - 1]])(
    'a call that was made as GOAWAY up to stream %i came in is made again',
    async (last) => {
      let made = 0;
      const address = await raw((socket, number) => {
        socket.write(settingsFrame);
        onHeaders(socket, (id) => {
          made += 1;
          const end = Buffer.concat([
            headersFrame(id),
            dataFrame(id, framed(Buffer.from('x'))),
            trailersFrame(id),
          ]);
          socket.write(number === 1 && id === 1 ? Buffer.concat([end, goawayFrame(last)]) : end);
        });
      });
      const transport = client(address);
      const first = new Recorder();
      const second = Promise.withResolvers<Awaited<ReturnType<typeof unary>>>();
      // Within the same read of the socket: the request is handed over before, and would be written after GOAWAY.
      first.message = () => {
        second.resolve(unary(transport));
      };
      transport.call('/a/B', { metadata: [], deadline: later() }, first).endSend();
      expect(await first.ended).toMatchObject({ code: 0 });
      expect((await second.promise).status).toMatchObject({ code: 0 });
      expect(made).toBe(2);
    },
  );
});

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}

test('a program whose transport is closed ends by itself', async () => {
  const peer = await startPeer((stream) => {
    answer(stream, [Buffer.from('x')]);
  });
  cleanups.push(peer.stop);
  const program = `
    const { createTransport } = await import(${JSON.stringify(new URL('transport.ts', import.meta.url).href)});
    const transport = createTransport(${JSON.stringify(peer.address)});
    const listener = { header() {}, message() {}, writable() {}, end({ code }) {
      console.log(code);
      transport.close();
    } };
    transport.call('/a/B', { metadata: [], deadline: Date.now() + 600_000 }, listener).endSend();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(printed).toBe('0\n');
});
