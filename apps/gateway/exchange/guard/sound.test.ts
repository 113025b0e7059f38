import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import { file_conformance_v1_conformance } from '../../../../gen/conformance/v1/conformance_pb.js';
import { echo, start, stopAll } from '../../../testing/gateway.ts';
import { headOf, openRaw } from '../../../testing/raw.ts';
import { streamsService } from '../../../testing/streams.ts';

let port: number;
let streams: number;
beforeAll(async () => {
  const rules = {
    Get: { pattern: { case: 'get', value: '/v1/books/{name}' } },
    Create: { pattern: { case: 'post', value: '/v1/books' }, body: '*' },
  } as const;
  ({ port } = await start(echo(rules)));
  const { implementation } = streamsService();
  const registry = createRegistry(file_conformance_v1_conformance);
  ({ port: streams } = await start({ implementation, registry }));
});
afterAll(stopAll);

/** The only answer to these bytes, whose connection the server ends. */
async function answerTo(bytes: string, to = port) {
  const { socket, text, ended } = openRaw(to);
  socket.write(bytes, 'latin1');
  await ended;
  socket.destroy();
  const [head = '', ...rest] = text().split('\r\n\r\n');
  const [line = '', ...fields] = head.toLowerCase().split('\r\n');
  const headers = Object.fromEntries(fields.map((field) => field.split(': ') as [string, string]));
  return { status: Number(line.split(' ')[1]), headers, body: JSON.parse(rest.join('\r\n\r\n')) as unknown };
}

const refused = (status: number, code: number, message: string, headers = {}) => ({
  status,
  headers: expect.objectContaining({
    'content-type': 'application/json',
    connection: 'close',
    ...headers,
  }) as unknown,
  body: { code, message, details: [] },
});

const chunked = (...headers: string[]) => `${headOf('POST', '/v1/books', ...headers)}2\r\n{}\r\n0\r\n\r\n`;

describe('A10: what HTTP has refused is, with a google.rpc.Status', () => {
  test.each([
    [chunked('transfer-encoding: identity', 'transfer-encoding: chunked'), '"identity, chunked"'],
    [chunked('transfer-encoding: gzip, chunked'), '"gzip, chunked"'],
  ])('a coding that is not served (RFC 9112, section 6.1) %#', async (bytes, received) => {
    const message = `transfer-encoding: ${received} received; allowed chunked`;
    expect(await answerTo(bytes)).toEqual(refused(501, 12, message));
  });

  test('chunks in HTTP/1.0 (RFC 9112, section 6.1)', async () => {
    const bytes = chunked('transfer-encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0');
    expect(await answerTo(bytes)).toEqual(refused(400, 3, 'transfer-encoding: not allowed in HTTP/1.0'));
  });

  test.each(['foo', '100-continue, foo', 'x-100-continue'])(
    'Expect: %s (RFC 9110, section 10.1.1)',
    async (what) => {
      const message = `expect: "${what}" received; allowed 100-continue`;
      const bytes = headOf('POST', '/v1/books', `expect: ${what}`, 'content-length: 2');
      expect(await answerTo(bytes)).toEqual(refused(417, 3, message));
    },
  );

  test.each(['/v1/books/a', '/healthz', '/openapi.json'])(
    'no Host (RFC 9112, section 3.2) for %s',
    async (path) => {
      const bytes = `GET ${path} HTTP/1.1\r\nconnection: close\r\n\r\n`;
      expect(await answerTo(bytes)).toEqual(refused(400, 3, 'host: missing'));
    },
  );

  test.each(['a b', 'a/b', 'user@a', 'a,b', 'a:b'])('Host: %s', async (host) => {
    const bytes = `GET /v1/books/a HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
    expect(await answerTo(bytes)).toEqual(refused(400, 3, 'host: not the name or address of a host'));
  });

  test.each(['a', 'a:80', 'a.example:', '[::1]:80', ''])('Host: %s is one', async (host) => {
    const { status } = await answerTo(
      `GET /v1/books/a HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    expect(status).toBe(200);
  });

  test('CONNECT (RFC 9110, section 9.3.6)', async () => {
    const message = 'method: CONNECT received; no path allows it';
    expect(await answerTo('CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n')).toEqual(
      refused(405, 12, message),
    );
  });

  const handshake = (...headers: string[]) =>
    headOf('GET', '/v1/streams/bidi', 'upgrade: websocket', 'connection: upgrade', ...headers);
  const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';
  const version = 'sec-websocket-version: 13';

  test.each([
    ['no key', handshake(version), 400, 'sec-websocket-key: not base64 of 16 bytes', {}],
    [
      'a bad key',
      handshake('sec-websocket-key: bad', version),
      400,
      'sec-websocket-key: not base64 of 16 bytes',
      {},
    ],
    [
      'no version',
      handshake(key),
      426,
      'sec-websocket-version: undefined received; allowed 13',
      { upgrade: 'websocket' },
    ],
    [
      'another version',
      handshake(key, 'sec-websocket-version: 7'),
      426,
      'sec-websocket-version: "7" received; allowed 13',
      { 'sec-websocket-version': '13' },
    ],
    [
      'a bad subprotocol',
      handshake(key, version, 'sec-websocket-protocol: a,,b'),
      400,
      'sec-websocket-protocol: malformed',
      {},
    ],
    ['two hosts', handshake(key, version, 'host: b'), 400, 'host: given more than once', {}],
  ])('a handshake with %s (RFC 6455, section 4.2)', async (_, bytes, status, message, headers) => {
    expect(await answerTo(bytes, streams)).toEqual(refused(status, 3, message, headers));
  });
});

describe('B9: what HTTP has a server take', () => {
  test.each([
    'http://host/healthz',
    'HTTP://host/healthz',
    '/healthz?probe=1',
    '/readyz?',
    'http://host/readyz?a=b',
  ])('%s is what the server says of itself', async (target) => {
    const { socket, statuses, ended } = openRaw(port);
    socket.write(headOf('GET', target, 'connection: close'));
    await ended;
    socket.destroy();
    expect(statuses()).toEqual([200]);
  });

  test('Expect of HTTP/1.0 gets no 100 (RFC 9110, section 10.1.1)', async () => {
    const head = headOf('POST', '/v1/books', 'expect: 100-continue', 'content-length: 2');
    expect((await answerTo(`${head.replace('HTTP/1.1', 'HTTP/1.0')}{}`)).status).toBe(200);
  });
});

describe('the connection after an answer', () => {
  test.each([
    ['in chunks', 'transfer-encoding: chunked', '2\r\n{}\r\n0\r\n\r\n'],
    ['that is long', 'content-length: 900', `{"name":"${'x'.repeat(889)}"}`],
  ])('goes on when a body %s has come as a whole', async (_, header, body) => {
    const { socket, text, statuses, ended } = openRaw(port);
    const post = headOf('POST', '/v1/books', 'content-type: application/json', header) + body;
    socket.write(post + post + headOf('GET', '/v1/none', 'connection: close'));
    await ended;
    socket.destroy();
    expect(statuses()).toEqual([200, 200, 404]);
    expect(text().match(/connection: close/gi)).toHaveLength(1);
  });

  test('goes on after an error that is answered when the body has come, and ends when it has not', async () => {
    const one = openRaw(port);
    const head = headOf('POST', '/v1/books', 'content-type: application/json', 'transfer-encoding: chunked');
    one.socket.write(`${head}2\r\n[]\r\n0\r\n\r\n${headOf('GET', '/v1/books/a', 'connection: close')}`);
    await one.ended;
    one.socket.destroy();
    expect(one.statuses()).toEqual([400, 200]);
    const other = await answerTo(head.replace('/v1/books', '/v1/none'));
    expect([other.status, other.headers['connection']]).toEqual([404, 'close']);
  });
});
