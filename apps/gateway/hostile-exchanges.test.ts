import type { ServerHttp2Stream } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fuzzLimitMs, fuzzRuns } from '../testing/fuzz.ts';
import { library } from '../../http-rule/testing/library.ts';
import { start, stopAll } from '../testing/gateway.ts';
import { headOf, openRaw } from '../testing/raw.ts';
import { until } from '../testing/until.ts';
import { framed, startPeer } from './transport/testing/scripted-server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  await stopAll();
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const grpc = { ':status': 200, 'content-type': 'application/grpc', 'x-served-by': 'there/pod-1' };
/** A Book whose name is "a". */
const book = Buffer.from([0x0a, 1, 0x61]);

const rules = {
  Get: { pattern: { case: 'get', value: '/v1/books/{name}' } },
  Odd: { pattern: { case: 'get', value: '/v1/odd/{name}' } },
  Create: { pattern: { case: 'post', value: '/v1/odd/{name}' }, body: '*' },
  Watch: { pattern: { case: 'get', value: '/v1/watch/{name}' } },
  Talk: { pattern: { case: 'post', value: '/v1/talk' }, body: '*' },
} as const;

/** Answers a call as every service should. */
function answer(stream: ServerHttp2Stream): void {
  stream.resume();
  stream.respond(grpc, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': '0' });
  });
  stream.end(framed(book));
}

/** What a service does to one call of it. @param bytes - a message */
type Service = (stream: ServerHttp2Stream, bytes: Buffer) => void;
const ending =
  (trailers: Record<string, string>): Service =>
  (stream, bytes) => {
    stream.respond(grpc, { waitForTrailers: true });
    stream.once('wantTrailers', () => {
      stream.sendTrailers(trailers);
    });
    stream.end(bytes);
  };
const hostileServices: readonly Service[] = [
  answer,
  ending({}),
  ending({ 'grpc-status': '5', 'grpc-message': '%', 'x-note': 'café', 'x-tab': 'a\tb' }),
  ending({ 'grpc-status': '-1', 'grpc-status-details-bin': '!' }),
  ending({ 'grpc-status': '0', 'x-served-by': '☺' }),
  (stream, bytes) => {
    stream.respond({ ...grpc, 'x-inventory-served-by': 'é\t' });
    stream.write(framed(bytes));
    stream.close(bytes.length % 14);
  },
  (stream) => {
    stream.close(0xff);
  },
  (stream) => {
    stream.respond({ ':status': 503, 'content-type': 'text/html' }, { endStream: true });
  },
  (stream, bytes) => {
    stream.respond(grpc, { waitForTrailers: true });
    stream.end(Buffer.concat([framed(bytes), framed(bytes), Buffer.from([1, 2])]));
  },
];

const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';
const handshake = headOf(
  'GET',
  '/v1/talk',
  'upgrade: websocket',
  'connection: upgrade',
  key,
  'sec-websocket-version: 13',
);
const frame = (first: number, body: Buffer) =>
  Buffer.concat([Buffer.from([first, 0x80 | Math.min(body.length, 125), 0, 0, 0, 0]), body.subarray(0, 125)]);
const chunk = (body: Buffer) =>
  Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);
const json = 'content-type: application/json';
const chunked = 'transfer-encoding: chunked';

/** What a client sends. The service that answers it is chosen by what it sends. */
const hostileClients: readonly ((mode: number, bytes: Buffer) => (string | Buffer)[])[] = [
  (_, bytes) => [bytes],
  (mode) => [headOf('GET', `/v1/odd/${mode}`).slice(0, 30)],
  (mode) => [headOf('GET', `/v1/odd/${mode}`)],
  (mode) => Array.from({ length: 5 }, (_, at) => headOf('GET', `/v1/odd/${mode + at}`)),
  (mode) => [headOf('GET', `/v1/watch/${mode}`)],
  (mode) => [headOf('GET', `/v1/watch/${mode}`, 'accept: text/event-stream', 'te: trailers')],
  (mode, bytes) => [headOf('POST', `/v1/odd/${mode}`, json, `content-length: ${bytes.length + 1}`), bytes],
  (mode, bytes) => [headOf('POST', `/v1/odd/${mode}`, json, `content-length: ${bytes.length}`), bytes],
  (mode, bytes) => [headOf('POST', `/v1/odd/${mode}`, json, chunked), chunk(bytes), 'zz\r\n'],
  (mode, bytes) => [
    headOf('POST', `/v1/odd/${mode}`, json, 'content-encoding: gzip', chunked),
    chunk(gzipSync(bytes).subarray(0, 15)),
    '0\r\n\r\n',
  ],
  (_, bytes) => [
    headOf('POST', '/v1/talk', 'content-type: application/x-ndjson', 'content-encoding: gzip', chunked),
    chunk(gzipSync('{}\n\n'.repeat(500))),
    chunk(bytes),
  ],
  () => [
    headOf('POST', '/v1/talk', 'content-type: application/x-ndjson', chunked),
    chunk(Buffer.from('{}\n{}\n{')),
  ],
  (_, bytes) => [handshake, frame(0x81, Buffer.from('{}')), frame(bytes[0] ?? 0, bytes)],
  (_, bytes) => [handshake, frame(0x01, Buffer.from('{')), frame(0x89, bytes), frame(0x80, Buffer.from('}'))],
  () => [
    handshake,
    frame(0x81, Buffer.from('{}')),
    frame(0x81, Buffer.alloc(0)),
    frame(0x88, Buffer.alloc(0)),
  ],
  () => ['CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n'],
];

interface Attack {
  readonly client: number;
  readonly mode: number;
  readonly seed: Uint8Array;
  /** How it leaves: at once or after what comes first, and how rudely. */
  readonly leave: 'at once' | 'at the first byte' | 'by reset' | 'by half';
}

const attack: fc.Arbitrary<Attack> = fc.record({
  client: fc.nat(hostileClients.length - 1),
  mode: fc.nat(hostileServices.length - 1),
  seed: fc.uint8Array({ maxLength: 100 }),
  leave: fc.constantFrom('at once', 'at the first byte', 'by reset', 'by half'),
});

/** Makes an attack, and waits until its connection is over. */
async function make(port: number, { client, mode, seed, leave }: Attack): Promise<void> {
  const { socket } = openRaw(port);
  const gone = new Promise((resolve) => socket.once('close', resolve));
  const parts = hostileClients[client]?.(mode, Buffer.from(seed)) ?? [];
  for (const part of parts) socket.write(part);
  // One who waits for an answer that does not come leaves when others would have.
  const limit = setTimeout(() => socket.destroy(), 100);
  if (leave === 'at once') socket.end(() => socket.destroy());
  else if (leave === 'by half') socket.end();
  else socket.once('data', () => (leave === 'by reset' ? socket.resetAndDestroy() : socket.destroy()));
  socket.once('end', () => socket.destroy());
  await gone;
  clearTimeout(limit);
}

test(
  'part 3: whatever clients and a service do, an honest load beside them loses no call, and nothing is left of them',
  async () => {
    const peer = await startPeer((stream, headers) => {
      if (headers[':path'] === '/test.Library/Get') answer(stream);
      else {
        stream.once('data', (data: Buffer) => {
          const sum = data.reduce((before, byte) => before + byte, 0);
          hostileServices[sum % hostileServices.length]?.(stream, book);
        });
      }
    });
    cleanups.push(peer.stop);
    const { service, registry } = library(rules, { streaming: ['Watch', 'Talk'] });
    const handlers = Object.fromEntries(service.methods.map(({ localName }) => [localName, () => ({})]));
    const { url, port, held } = await start({
      implementation: { service, handlers },
      registry,
      address: peer.address,
    });
    let running = true;
    let calls = 0;
    const honest = async () => {
      while (running) {
        const response = await fetch(`${url}/v1/books/a`);
        expect([response.status, await response.json()]).toMatchObject([200, { name: 'a' }]);
        calls++;
      }
    };
    const load = Promise.all([honest(), honest()]);
    await fc.assert(
      fc.asyncProperty(fc.array(attack, { minLength: 10, maxLength: 10 }), async (attacks) => {
        await Promise.all(attacks.map((each) => make(port, each)));
      }),
      { numRuns: Math.ceil(fuzzRuns(200) / 10) },
    );
    running = false;
    await load;
    expect(calls).toBeGreaterThan(0);
    await until(() => held.requests() === 0 && held.bytes() === 0 && held.streams() === 0);
  },
  fuzzLimitMs,
);
