import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { bindingsOf } from '../binding/bindings.ts';
import { echo, start, stopAll } from '../../testing/gateway.ts';

afterEach(stopAll);

const { implementation, registry } = echo(
  {
    Get: { pattern: { case: 'get', value: '/v1/books/{name}' } },
    Create: { pattern: { case: 'post', value: '/v1/books' }, body: '*' },
    Update: { pattern: { case: 'put', value: '/v1/books/{name}' }, body: '*' },
  },
  (book: { name: string }) => (book.name === 'long' ? { name: 'x'.repeat(2_000) } : book),
);

/** A request as it is: fetch would ask for gzip by itself, and does not take the target `*`. */
async function ask(method: string, path: string, headers: OutgoingHttpHeaders = {}) {
  const { port } = await start({ implementation, registry });
  const sent = request({ port, host: '127.0.0.1', method, path, headers }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

describe('HEAD', () => {
  test.each(['short', 'long'])('has the headers of GET and no body: %s', async (name) => {
    const [get, head] = [await ask('GET', `/v1/books/${name}`), await ask('HEAD', `/v1/books/${name}`)];
    expect([get.status, head.status, head.body.length]).toEqual([200, 200, 0]);
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' });
    expect(head.headers['content-length']).toBe(String(get.body.length));
  });

  test('is 405 where there is no GET, and 404 where there is nothing', async () => {
    const post = await ask('HEAD', '/v1/books');
    expect([post.status, post.headers.allow, post.body.length]).toEqual([405, 'POST', 0]);
    expect((await ask('HEAD', '/v1/shelves')).status).toBe(404);
  });
});

describe('OPTIONS', () => {
  test.each([
    ['/v1/books/a', 'GET, HEAD, PUT'],
    ['/v1/books', 'POST'],
    ['*', undefined],
  ])('of %s is 204 and tells %s', async (path, allow) => {
    const { status, headers, body } = await ask('OPTIONS', path);
    expect([status, headers.allow, body.length]).toEqual([204, allow, 0]);
  });

  test('is 404 where nothing is', async () => {
    expect((await ask('OPTIONS', '/v1/shelves')).status).toBe(404);
  });
});

describe('Accept-Encoding', () => {
  test.each<[string | undefined, 'gzip' | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br, GZIP ; Q=0.5', 'gzip'],
    ['*', 'gzip'],
    ['*;q=0.1', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip;q=0.000, *', undefined],
    ['*;q=0', undefined],
    ['*;q=0, gzip', 'gzip'],
    ['identity;q=0, gzip', 'gzip'],
    ['identity', undefined],
    ['br, deflate', undefined],
    ['gzip;q=2', undefined],
    ['gzip;q=', undefined],
  ])('%j: %s', async (accepted, encoding) => {
    const headers = accepted === undefined ? {} : { 'accept-encoding': accepted };
    const answer = await ask('GET', '/v1/books/long', headers);
    expect([answer.status, answer.headers['content-encoding'], answer.headers.vary]).toEqual([
      200,
      encoding,
      'accept-encoding',
    ]);
    const text = encoding === 'gzip' ? gunzipSync(answer.body) : answer.body;
    expect(JSON.parse(text.toString())).toMatchObject({ name: 'x'.repeat(2_000) });
  });

  // RFC 9110, section 12.5.3: a server may answer so all the same, and 406 would help nobody.
  test.each(['identity;q=0', '*;q=0', 'identity;q=0, br'])(
    '%s has no short answer refused',
    async (accepted) => {
      const answer = await ask('GET', '/v1/books/short', { 'accept-encoding': accepted });
      expect([answer.status, answer.headers['content-encoding']]).toEqual([200, undefined]);
    },
  );
});

test('a gateway that cannot be made leaves nothing open in a test', async () => {
  const bindings = bindingsOf([implementation.service]);
  const gateway = { bindings: [...bindings, ...bindings] };
  await expect(start({ implementation, registry, gateway })).rejects.toThrow(
    'another route has this method and an equal path',
  );
  // What the test left open would keep jest from ending.
  await stopAll();
});
