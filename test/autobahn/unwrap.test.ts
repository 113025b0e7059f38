import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { startUnwrapping } from './unwrap.ts';

const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test.each([1, 125, 126, 65_525, 65_535, 65_536, 200_000])(
  'a text of %i bytes loses its envelope, and nothing else is changed',
  async (length) => {
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    await once(http.listen(0, '127.0.0.1'), 'listening');
    const relay = await startUnwrapping((http.address() as AddressInfo).port);
    cleanups.push(() => {
      relay.stop();
      server.close();
      http.close();
    });
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        const bytes = data as Buffer;
        socket.send(isBinary ? bytes : `{"result":${bytes.toString()}}`, { binary: isBinary });
        if (!isBinary) socket.send('as it is');
      });
    });
    const client = new WebSocket(`ws://127.0.0.1:${relay.port}`);
    await once(client, 'open');
    const text = 'ü'.repeat(length >> 1) + 'x'.repeat(length % 2);
    const binary = Buffer.alloc(length, 7);
    client.send(text);
    client.send(binary);
    client.ping('still there');
    const received: unknown[] = [];
    client.on('message', (data, isBinary) => {
      received.push(isBinary ? data : (data as Buffer).toString());
    });
    await once(client, 'pong');
    expect(received).toEqual([text, 'as it is', binary]);
    client.close(4321, 'over');
    expect((await once(client, 'close'))[0]).toBe(4321);
  },
);
