import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { echo, start, stopAll } from '../testing/gateway.ts';
import { assertConnectionsFit, openFiles } from '../testing/open-files.ts';

/** CONTRIBUTING.md says how to run it with all 10,000. */
const idleConnections = Number(process.env['IDLE_CONNECTIONS'] ?? 500);

let port: number;
/** Of a gateway that waits for half a second only. */
let hasty: number;
beforeAll(async () => {
  const rules = {
    Get: { pattern: { case: 'get', value: '/v1/books/{name}' } },
    Create: { pattern: { case: 'post', value: '/v1/books' }, body: '*' },
  } as const;
  ({ port } = await start({ ...echo(rules), bodyLimit: 100_000, server: { maxConnections: 20_000 } }));
  ({ port: hasty } = await start({
    ...echo(rules),
    gateway: { body: { bytes: 100_000, timeoutMs: 500 } },
    server: { headersTimeoutMs: 500 },
  }));
});
afterAll(stopAll);

/** A bare connection, and all that has come on it. */
function open(to = port): { socket: Socket; text: () => string; ended: Promise<unknown> } {
  const socket = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
  let received = '';
  socket.setEncoding('latin1').on('data', (part: string) => (received += part));
  socket.on('error', () => undefined);
  return { socket, text: () => received, ended: Promise.race([once(socket, 'end'), once(socket, 'close')]) };
}

/** Sends bytes as they are, and takes what comes until the server ends the connection. */
async function send(bytes: string | Buffer, to = port): Promise<string> {
  const { socket, text, ended } = open(to);
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  await ended;
  socket.destroy();
  return text();
}

const statusesOf = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code));

const get = (target: string, ...headers: string[]) =>
  [`GET ${target} HTTP/1.1`, 'host: a', 'connection: close', ...headers, '', ''].join('\r\n');
const post = (body: string, ...headers: string[]) =>
  ['POST /v1/books HTTP/1.1', 'host: a', 'connection: close', ...headers, '', body].join('\r\n');
const sized = (body: string, ...headers: string[]) =>
  post(body, `content-length: ${Buffer.byteLength(body, 'latin1')}`, ...headers);

test('the connection under test is one that works', async () => {
  expect(statusesOf(await send(get('/v1/books/a')))).toEqual([200]);
  expect(statusesOf(await send(sized('{"name":"a"}')))).toEqual([200]);
});

describe('what is not sound HTTP/1.1', () => {
  test.each<[string, string]>([
    ['length and chunks', post('0\r\n\r\n', 'content-length: 4', 'transfer-encoding: chunked')],
    ['chunks and length', post('0\r\n\r\n', 'transfer-encoding: chunked', 'content-length: 4')],
    ['two lengths', post('abcd', 'content-length: 4', 'content-length: 5')],
    ['a list of lengths', post('abcd', 'content-length: 4, 4')],
    ['a signed length', post('abcd', 'content-length: +4')],
    ['chunks that are not last', post('0\r\n\r\n', 'transfer-encoding: chunked, identity')],
    ['a name before a space', get('/v1/books/a', 'x-a : b')],
    ['a folded header', get('/v1/books/a', 'x-a: b', ' c')],
    ['NUL in a value', get('/v1/books/a', 'x-a: b\0c')],
    ['NUL in a name', get('/v1/books/a', 'x\0a: b')],
    ['NUL in the target', get('/v1/books/a\0b')],
    ['a bare line feed', 'GET /v1/books/a HTTP/1.1\nhost: a\n\n'],
    ['a bare carriage return', get('/v1/books/a', 'x-a: b\rc: d')],
    ['no host', 'GET /v1/books/a HTTP/1.1\r\nconnection: close\r\n\r\n'],
    ['two hosts', get('/v1/books/a', 'host: b')],
    ['a space in the target', get('/v1/books/a b')],
    ['a method of nobody', get('/v1/books/a').replace('GET', 'GRAB')],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a chunk of no size', post('zz\r\n', 'transfer-encoding: chunked')],
  ])('%s is 400, and the connection ends', async (_, bytes) => {
    const text = await send(bytes);
    expect(statusesOf(text)).toEqual([400]);
    expect(text.toLowerCase()).toContain('\r\nconnection: close\r\n');
  });

  test('nothing is read after it', async () => {
    const text = await send(
      post('0\r\n\r\n', 'content-length: 4', 'transfer-encoding: chunked') + get('/v1/books/smuggled'),
    );
    expect(statusesOf(text)).toEqual([400]);
    expect(text).not.toContain('smuggled');
  });
});

describe('what is too much', () => {
  test.each<[string, string | Buffer, number]>([
    ['one huge header', get('/v1/books/a', `x-a: ${'b'.repeat(20_000)}`), 431],
    ['many headers', get('/v1/books/a', ...Array.from({ length: 2_000 }, (_, at) => `x-${at}: b`)), 431],
    ['a long target', get(`/v1/books/${'a'.repeat(9_000)}`), 414],
    ['a body that is announced as long', post('', 'content-length: 100001'), 413],
    ['a body of a length beyond numbers', post('', 'content-length: 99999999999999999999'), 400],
    ['a long chunk', post(`186a1\r\n${'x'.repeat(100_001)}\r\n0\r\n\r\n`, 'transfer-encoding: chunked'), 413],
    ['chunk extensions', post(`1;${'a'.repeat(20_000)}\r\nx\r\n`, 'transfer-encoding: chunked'), 413],
  ])('%s', async (_, bytes, code) => {
    expect(statusesOf(await send(bytes))).toEqual([code]);
  });

  test('a gzip bomb is 413', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
    expect(bomb.length).toBeLessThan(100_000);
    const head = post('', 'content-encoding: gzip', `content-length: ${bomb.length}`);
    expect(statusesOf(await send(Buffer.concat([Buffer.from(head), bomb])))).toEqual([413]);
  });

  test.each(['not gzip', gzipSync('{"name":"a"}').subarray(0, 20).toString('latin1')])(
    'broken gzip is 400',
    async (body) => {
      expect(statusesOf(await send(sized(body, 'content-encoding: gzip')))).toEqual([400]);
    },
  );
});

describe('targets', () => {
  test.each<[string, number]>([
    ['/v1/books/a%2Fb', 200],
    ['/v1/books/%00', 200],
    ['/v1/books/%zz', 400],
    ['/v1/books/%f', 400],
    ['/v1/books/%ff', 400],
    ['/v1/books/a?name=%zz', 400],
    ['/v1/books/../secrets', 404],
    ['/v1/books/..', 200],
    ['//v1/books/a', 404],
    ['/v1//books/a', 404],
    ['/v1/books/', 404],
    ['/v1/books/a#b', 400],
    ['http://a/v1/books/a', 200],
    ['http://other/../x', 404],
    ['a:443', 400],
    ['*', 404],
    ['/v1/books/a?__proto__.x=1', 400],
    ['/v1/books/a?constructor=1', 400],
    [`/v1/books/a?${'a.'.repeat(4_000)}b=1`, 400],
  ])('%j is %d', async (target, code) => {
    expect(statusesOf(await send(get(target)))).toEqual([code]);
  });

  test('CONNECT is cut or refused', async () => {
    const codes = statusesOf(await send('CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n'));
    expect(codes.filter((code) => code < 400 || code > 499)).toEqual([]);
  });
});

describe('bodies', () => {
  test.each<[string, string]>([
    ['deep arrays', '['.repeat(90_000)],
    ['deep objects', `${'{"mainAuthor":'.repeat(6_000)}1${'}'.repeat(6_000)}`],
    ['an own prototype', '{"__proto__":{"name":"a"}}'],
    ['a constructor', '{"constructor":{"prototype":{"a":1}}}'],
    ['no UTF-8', '{"name":"\xff"}'],
    ['a NUL', '{"name":"a\0"}'],
    ['a huge number', `{"pageCount":${'9'.repeat(90_000)}}`],
    ['a list', '[]'],
    ['nothing but null', 'null'],
  ])('%s is 400', async (_, body) => {
    expect(statusesOf(await send(sized(body)))).toEqual([400]);
  });
});

describe('slow and half-closed clients', () => {
  test('half a head is 408', async () => {
    expect(statusesOf(await send('GET /v1/books/a HTTP/1.1\r\nhost:', hasty))).toEqual([408]);
  });

  test('a connection that has sent nothing is idle: its first request is answered after the time for a head, and by nothing else', async () => {
    const { socket, text, ended } = open(hasty);
    // The server looks at each connection twice a second.
    await sleep(1_500);
    expect(text()).toBe('');
    socket.write(get('/v1/books/a'));
    await ended;
    socket.destroy();
    expect(statusesOf(text())).toEqual([200]);
  });

  test('half a head on a connection that was idle before it is 408', async () => {
    const { socket, text, ended } = open(hasty);
    await sleep(1_500);
    socket.write('GET /v1/books/a HTTP/1.1\r\nhost:');
    await ended;
    socket.destroy();
    expect(statusesOf(text())).toEqual([408]);
  });

  test('half a body is 408', async () => {
    expect(statusesOf(await send(post('{', 'content-length: 50'), hasty))).toEqual([408]);
  });

  test('a body byte by byte is 408', async () => {
    const { socket, text, ended } = open(hasty);
    socket.write(post('{', 'content-length: 5000'));
    const drip = setInterval(() => socket.write(' '), 50);
    await ended;
    clearInterval(drip);
    socket.destroy();
    expect(statusesOf(text())).toEqual([408]);
  });

  test('a client that closes its side gets its answer', async () => {
    const { socket, text, ended } = open();
    socket.end(get('/v1/books/a'));
    await ended;
    socket.destroy();
    expect(statusesOf(text()).filter((code) => code !== 200)).toEqual([]);
  });

  test('100-continue is sent for a body that is wanted, and not for one that is refused', async () => {
    const { socket, text, ended } = open();
    const body = '{"name":"a"}';
    socket.write(post('', 'expect: 100-continue', `content-length: ${body.length}`));
    await once(socket, 'data');
    expect(text()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(body);
    await ended;
    socket.destroy();
    expect(statusesOf(text())).toEqual([100, 200]);
    expect(statusesOf(await send(post('', 'expect: 100-continue', 'content-length: 5000000')))).toEqual([
      413,
    ]);
    expect(statusesOf(await send(post('', 'expect: miracles', 'content-length: 2')))).toEqual([417]);
  });
});

describe('protocols', () => {
  test('HTTP/1.0 is answered, and its connection ends', async () => {
    expect(statusesOf(await send('GET /v1/books/a HTTP/1.0\r\n\r\n'))).toEqual([200]);
  });

  test('a request to change to h2c is answered in HTTP/1.1', async () => {
    const text = await send(get('/v1/books/a', 'upgrade: h2c', 'http2-settings: AAMAAABk'));
    expect(statusesOf(text)).toEqual([200]);
  });

  test('requests that come at once are answered in their order', async () => {
    const keep = (name: string) => `GET /v1/books/${name} HTTP/1.1\r\nhost: a\r\n\r\n`;
    const names = Array.from({ length: 100 }, (_, at) => `n${at}`);
    const text = await send(names.map(keep).join('') + get('/v1/books/last'));
    expect([...text.matchAll(/"name":"(\w+)"/g)].map(([, name]) => name)).toEqual([...names, 'last']);
  });
});

test(`${idleConnections} idle connections are held, and others served meanwhile`, async () => {
  assertConnectionsFit('IDLE_CONNECTIONS', idleConnections, openFiles());
  const idle: Socket[] = [];
  for (let opened = 0; opened < idleConnections; opened++) {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(socket, 'data');
    idle.push(socket);
  }
  expect(statusesOf(await send(get('/v1/books/a')))).toEqual([200]);
  expect(idle.filter((socket) => socket.destroyed)).toEqual([]);
  for (const socket of idle) socket.destroy();
}, 300_000);
