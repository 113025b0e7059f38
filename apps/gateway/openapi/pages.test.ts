import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { implement } from '../../runtime/handlers.ts';
import { echo, start, stopAll } from '../../testing/gateway.ts';
import { catalogHandlers } from '../../testing/services/catalog/handlers.ts';
import type { OpenApi } from './types.ts';

afterEach(stopAll);

const catalog = () => implement(CatalogService, catalogHandlers);

/** By hand: fetch inflates, and asks for gzip by itself. */
async function ask(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const sent = httpRequest(url, { method, headers, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

test('tell of what is described only, and serve the rest', async () => {
  const described = new Set([CatalogService.method.getProduct]);
  const { url } = await start({ implementation: catalog(), gateway: { described } });
  const { body } = await ask(`${url}/openapi.json`);
  const { paths, components } = JSON.parse(body.toString()) as OpenApi;
  expect(Object.keys(paths)).toEqual(['/v1/products/{id}']);
  expect(Object.keys(components.schemas)).not.toContain('test.catalog.v1.ListProductsResponse');
  expect((await ask(`${url}/docs`)).body.toString()).not.toContain('ListProducts');
  expect((await ask(`${url}/v1/products`)).status).toBe(200);
});

test('B9: are found by an absolute target, too', async () => {
  const { url } = await start({ implementation: catalog() });
  for (const path of ['/openapi.json', '/docs?x=1']) {
    const sent = httpRequest(url, { path: `http://shop.example${path}`, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    expect([path, response.statusCode]).toEqual([path, 200]);
  }
});

describe.each([
  ['/openapi.json', 'application/json'],
  ['/docs', 'text/html; charset=utf-8'],
])('%s', (path, type) => {
  test('as it is, and as gzip to who takes it', async () => {
    const { url } = await start({ implementation: catalog() });
    const plain = await ask(url + path);
    expect([plain.status, plain.headers['content-type']]).toEqual([200, type]);
    expect(plain.headers).toMatchObject({
      vary: 'accept-encoding',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'content-length': String(plain.body.length),
    });
    const packed = await ask(url + path, { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
    expect((await ask(`${url}${path}?a=b`)).body.equals(plain.body)).toBe(true);
  });

  test('304 to who has it', async () => {
    const { url } = await start({ implementation: catalog() });
    const { etag } = (await ask(url + path)).headers;
    expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
    for (const given of [etag!, `"other", ${etag!}`, etag!.slice(2), '*']) {
      const again = await ask(url + path, { 'if-none-match': given });
      expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag]);
    }
    expect((await ask(url + path, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  test('HEAD, OPTIONS and other methods', async () => {
    const { url } = await start({ implementation: catalog() });
    const whole = await ask(url + path);
    const head = await ask(url + path, {}, 'HEAD');
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(head.headers['content-length']).toBe(String(whole.body.length));
    const options = await ask(url + path, {}, 'OPTIONS');
    expect([options.status, options.headers.allow]).toEqual([204, 'GET, HEAD']);
    const post = await ask(url + path, {}, 'POST');
    expect([post.status, post.headers.allow, JSON.parse(post.body.toString())]).toEqual([
      405,
      'GET, HEAD',
      { code: 12, message: 'method: POST received; allowed here GET, HEAD', details: [] },
    ]);
  });
});

test('only what is served is described', async () => {
  const { url } = await start({ implementation: catalog() });
  const document = JSON.parse((await ask(`${url}/openapi.json`)).body.toString()) as { paths: object };
  expect(Object.keys(document.paths)).toEqual(['/v1/prices:watch', '/v1/products', '/v1/products/{id}']);
});

test('the page loads nothing, runs no script, and escapes what it shows', async () => {
  const { url } = await start(echo({ Read: { pattern: { case: 'get', value: "/v1/it's&(a)/{name}" } } }));
  const { headers, body } = await ask(`${url}/docs`);
  const text = body.toString();
  const [, style = ''] = /<style>([^]*?)<\/style>/.exec(text) ?? [];
  const hash = createHash('sha256').update(style).digest('base64');
  expect(headers['content-security-policy']).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  expect(text).not.toMatch(/<script|<link|<img|\ssrc=|\sstyle=|\son\w+=|url\(|@import/);
  expect(text).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
  expect(text).toContain('<code>/v1/it&#39;s&#38;(a)/{name}</code>');
  expect(text).not.toContain("it's&(a)");
});

test('every link of the page leads to a place in it, and every tag is closed', async () => {
  const { url } = await start({ implementation: catalog() });
  const text = (await ask(`${url}/docs`)).body.toString();
  const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id!);
  const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!);
  expect(new Set(ids).size).toBe(ids.length);
  expect(links.filter((link) => !ids.includes(link))).toEqual([]);
  const open: string[] = [];
  for (const [, end, name = ''] of text.matchAll(/<(\/?)([a-z]\w*)[^>]*>/g)) {
    if (end === '') {
      if (name !== 'meta') open.push(name);
    } else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
});
