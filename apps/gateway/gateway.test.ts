import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { implement } from '../runtime/handlers.ts';
import { statusError } from '../runtime/status.ts';
import { call, echo, json, start, stopAll } from '../testing/gateway.ts';
import { catalogHandlers } from '../testing/services/catalog/handlers.ts';

afterEach(stopAll);

const catalog = () => implement(CatalogService, catalogHandlers);

describe('the shop', () => {
  test('GET of a product, with who served it', async () => {
    const { url } = await start({ implementation: catalog() });
    const answer = await call(`${url}/v1/products/p-1`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('x-served-by')).toBe('here/pod-1');
    expect(answer.body).toMatchObject({
      product: {
        id: 'p-1',
        name: 'Desk lamp',
        price: { currencyCode: 'EUR', minorUnits: '4900' },
        attributes: { room: 'study' },
        updateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      },
    });
  });

  test('GET of a page, by query', async () => {
    const { url } = await start({ implementation: catalog() });
    const { body } = await call(`${url}/v1/products?pageSize=2&page_token=`);
    expect(body).toMatchObject({
      products: [{ id: 'p-1' }, { id: 'p-2' }],
      nextPageToken: expect.any(String),
    });
  });

  test('an error of the service is a google.rpc.Status, with who served it', async () => {
    const { url } = await start({ implementation: catalog() });
    const answer = await call(`${url}/v1/products/p%2F0`);
    expect([answer.status, answer.body]).toEqual([
      404,
      { code: 5, message: 'id: no product "p/0"', details: [] },
    ]);
    expect(answer.headers.get('x-served-by')).toBe('here/pod-1');
  });

  test("POST of an order passes on who served the order's stock", async () => {
    const implementation = implement(OrdersService, {
      createOrder: (order, { header }) => {
        header.set('x-inventory-served-by', 'there/pod-2');
        header.set('x-internal', 'secret');
        return { order: { productId: order.productId, quantity: order.quantity } };
      },
      getOrder: () => ({}),
      listOrders: () => ({}),
      watchQuote: () => Readable.from([]),
    });
    const { url } = await start({ implementation });
    const answer = await call(`${url}/v1/orders`, json({ productId: 'p-1', quantity: 2 }));
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ order: { productId: 'p-1', quantity: 2 } });
    expect(answer.headers.get('x-served-by')).toBe('here/pod-1');
    expect(answer.headers.get('x-inventory-served-by')).toBe('there/pod-2');
    expect(answer.headers.get('x-internal')).toBeNull();
  });
});

describe('HTTP', () => {
  test.each<[string, string, number, unknown, string | null]>([
    ['GET', '/v1/nothing', 404, { code: 5, message: 'path: nothing is served here' }, null],
    ['GET', '//v1/products', 404, { code: 5, message: 'path: nothing is served here' }, null],
    [
      'DELETE',
      '/v1/products',
      405,
      { code: 12, message: 'method: DELETE received; allowed here GET, HEAD' },
      'GET, HEAD',
    ],
    ['GET', '/v1/products/%zz', 400, { code: 3, message: 'path: malformed percent-encoding in "%zz"' }, null],
    [
      'GET',
      '/v1/products?size=1',
      400,
      { code: 3, message: 'query parameter "size": test.catalog.v1.ListProductsRequest has no such field' },
      null,
    ],
  ])('%s %s is %d', async (method, path, httpStatus, body, allow) => {
    const { url } = await start({ implementation: catalog() });
    const answer = await call(`${url}${path}`, { method });
    expect([answer.status, answer.body]).toMatchObject([httpStatus, body]);
    expect(answer.headers.get('allow')).toBe(allow);
  });

  const rules = { Create: { pattern: { case: 'post', value: '/v1/books' }, body: '*' } } as const;

  test('a body that is too long, announced or not', async () => {
    const { url } = await start({ ...echo(rules), bodyLimit: 100 });
    const long = JSON.stringify({ name: 'x'.repeat(100) });
    const chunks = new Blob([long]).stream();
    for (const init of [{ body: long }, { body: chunks, duplex: 'half' }]) {
      const answer = await call(`${url}/v1/books`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        ...init,
      } as RequestInit);
      expect([answer.status, answer.body]).toEqual([
        413,
        { code: 8, message: 'body: more than 100 bytes', details: [] },
      ]);
    }
    const exact = { name: 'x'.repeat(100 - JSON.stringify({ name: '' }).length) };
    expect((await call(`${url}/v1/books`, json(exact))).status).toBe(200);
  });

  test.each([
    [{ 'content-type': 'text/plain' }, 415, 'content-type: "text/plain" received; allowed application/json'],
    [
      { 'content-type': 'application/json', 'content-encoding': 'br' },
      415,
      'content-encoding: "br" received; allowed gzip, identity',
    ],
    [
      { 'content-type': 'application/json' },
      400,
      'body: malformed JSON at byte 1: a key in double quotes expected',
    ],
    [
      { 'content-type': 'application/merge-patch+json' },
      400,
      'body: malformed JSON at byte 1: a key in double quotes expected',
    ],
  ] as const)('a body sent as %j', async (headers, httpStatus, message) => {
    const { url } = await start(echo(rules));
    const answer = await call(`${url}/v1/books`, {
      method: 'POST',
      headers,
      body: '{',
    });
    expect([answer.status, answer.body]).toMatchObject([httpStatus, { code: 3, message }]);
  });

  test.each([
    [{ 'content-type': 'text/plain' }, ['application/json', null]],
    [{ 'content-type': 'application/json', 'content-encoding': 'br' }, [null, 'gzip']],
  ] as const)('a body refused as %j tells what would have been taken', async (headers, taken) => {
    const { url } = await start(echo(rules));
    const answer = await call(`${url}/v1/books`, { method: 'POST', headers, body: '{}' });
    expect(['accept', 'accept-encoding'].map((name) => answer.headers.get(name))).toEqual(taken);
  });

  test('the response is the field that response_body names', async () => {
    const { url } = await start(
      echo({
        Tags: { pattern: { case: 'get', value: '/v1/tags' }, responseBody: 'tags' },
        Author: { pattern: { case: 'get', value: '/v1/author' }, responseBody: 'main_author' },
      }),
    );
    expect((await call(`${url}/v1/tags?tags=a&tags=b`)).body).toEqual(['a', 'b']);
    expect((await call(`${url}/v1/author?main_author.id=7`)).body).toEqual({ id: '7', displayName: '' });
    expect((await call(`${url}/v1/author`)).body).toBeNull();
  });
});

describe('failures', () => {
  const rules = { Get: { pattern: { case: 'get', value: '/v1/books' } } } as const;

  test('a call that takes too long is 504, and the service is told', async () => {
    const seen: AbortSignal[] = [];
    const { url } = await start({
      ...echo(rules, async (_, { signal }) => {
        seen.push(signal);
        await once(signal, 'abort');
      }),
      timeoutMs: 1_500,
    });
    const answer = await call(`${url}/v1/books`);
    expect([answer.status, answer.body]).toEqual([
      504,
      { code: 4, message: 'test.Library/Get: DEADLINE_EXCEEDED', details: [] },
    ]);
    const [signal] = seen;
    if (signal?.aborted !== true) await once(signal!, 'abort');
  });

  test('a client that goes away cancels the call', async () => {
    const arrived = Promise.withResolvers<AbortSignal>();
    const { url } = await start(
      echo(rules, async (_, { signal }) => {
        arrived.resolve(signal);
        await once(signal, 'abort');
      }),
    );
    const leave = new AbortController();
    const answer = fetch(`${url}/v1/books`, { signal: leave.signal }).catch((error: unknown) => error);
    const signal = await arrived.promise;
    leave.abort();
    await answer;
    if (!signal.aborted) await once(signal, 'abort');
  });

  test('an upstream that is away is 503, and its address is not told', async () => {
    const { url } = await start({ ...echo(rules), address: '127.0.0.1:1' });
    const answer = await call(`${url}/v1/books`);
    expect([answer.status, answer.body]).toEqual([
      503,
      { code: 14, message: 'test.Library/Get: UNAVAILABLE', details: [] },
    ]);
  });

  test("a service's own words are passed on, whatever the code", async () => {
    const { url } = await start(
      echo(rules, () => {
        throw statusError(status.UNAVAILABLE, 'the shelves are being moved');
      }),
    );
    expect((await call(`${url}/v1/books`)).body).toMatchObject({
      code: 14,
      message: 'the shelves are being moved',
    });
  });

  test('a half-sent body does not disturb the next request', async () => {
    const { url } = await start(
      echo({ Create: { pattern: { case: 'post', value: '/v1/books' }, body: '*' } }),
    );
    const headers = { 'content-length': 50, expect: '100-continue' };
    const half = httpRequest(`${url}/v1/books`, { method: 'POST', headers }).on('error', () => undefined);
    half.flushHeaders();
    // Sent when the body is about to be read.
    await once(half, 'continue');
    await new Promise((resolve) => half.write('{"na', resolve));
    half.destroy();
    expect((await call(`${url}/v1/books`, json({ name: 'n' }))).body).toMatchObject({ name: 'n' });
  });
});

describe('drain', () => {
  const rules = { Get: { pattern: { case: 'get', value: '/v1/books' } } } as const;

  test('is told by /readyz, closes connections, takes requests for a while and finishes those in flight', async () => {
    const gate = Promise.withResolvers<undefined>();
    const arrived = Promise.withResolvers<undefined>();
    const { url, server } = await start({
      ...echo(rules, async (book: { name: string }) => {
        if (book.name !== 'slow') return book;
        arrived.resolve(undefined);
        await gate.promise;
        return book;
      }),
      drainDelayMs: 2_000,
      server: { drainLimitMs: 20_000 },
    });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const slow = call(`${url}/v1/books?name=slow`);
    await arrived.promise;
    const drained = server.drain();
    expect([(await fetch(`${url}/readyz`)).status, (await fetch(`${url}/healthz`)).status]).toEqual([
      503, 200,
    ]);
    const late = await call(`${url}/v1/books?name=late`);
    expect([late.status, late.headers.get('connection')]).toEqual([200, 'close']);
    // It is over when the server listens no more.
    while (await fetch(`${url}/healthz`).then(Boolean, () => false));
    gate.resolve(undefined);
    expect((await slow).body).toMatchObject({ name: 'slow' });
    expect(await drained).toBe(true);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  });

  test('leaves idle connections open while requests are still taken: one may be on its way', async () => {
    const { port, server } = await start({
      ...echo(rules),
      drainDelayMs: 2_000,
      server: { drainLimitMs: 20_000 },
    });
    const request = 'GET /v1/books?name=a HTTP/1.1\r\nHost: x\r\n\r\n';
    const connectAndAsk = async () => {
      const socket = connect(port, '127.0.0.1').setEncoding('utf8');
      socket.write(request);
      const [answer] = (await once(socket, 'data')) as [string];
      expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
      return { socket, answer };
    };
    const idle = await connectAndAsk();
    const drained = server.drain();
    const other = await connectAndAsk();
    expect(other.answer).toMatch(/\r\nconnection: close\r\n/i);
    if (!other.socket.closed) await once(other.socket, 'close');
    idle.socket.write(request);
    const [answer] = (await once(idle.socket, 'data')) as [string];
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(await drained).toBe(true);
  });

  test('idle connections do not hold it up; a request without end is cut', async () => {
    const arrived = Promise.withResolvers<undefined>();
    const { url, server } = await start(
      echo(rules, async (_, { signal }) => {
        arrived.resolve(undefined);
        await once(signal, 'abort');
      }),
    );
    const agent = new Agent({ keepAlive: true });
    httpRequest(`${url}/healthz`, { agent }, (response) => response.resume()).end();
    const endless = fetch(`${url}/v1/books`).catch((error: unknown) => error);
    await arrived.promise;
    expect(await server.drain()).toBe(false);
    expect(await endless).toMatchObject({ message: 'fetch failed' });
    agent.destroy();
  });
});
