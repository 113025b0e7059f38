import { once } from 'node:events';
import { connect } from 'node:http2';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { framed } from '../../gateway/transport/testing/scripted-server.ts';
import { startLocal, unused } from '../../testing/local.ts';
import { implement } from '../handlers.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let handled = 0;

/** All headers of the answer to a request, trailers too. */
async function answerTo(headers: OutgoingHttpHeaders, body: Uint8Array): Promise<IncomingHttpHeaders> {
  const handlers = {
    getProduct: (_: unknown, { trailer }: { trailer: { set(name: string, value: Buffer): void } }) => {
      handled += 1;
      trailer.set('odd-bin', Buffer.from([1]));
      return {};
    },
    listProducts: unused,
    watchPrices: unused,
  };
  const local = await startLocal([implement(CatalogService, handlers)]);
  cleanups.push(() => local.stop());
  const session = connect(`http://${local.address}`);
  cleanups.push(() => {
    session.destroy();
  });
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.catalog.v1.CatalogService/GetProduct',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const all: IncomingHttpHeaders = {};
  for (const event of ['response', 'trailers'] as const) {
    stream.on(event, (received: IncomingHttpHeaders) => Object.assign(all, received));
  }
  stream.on('error', () => undefined).resume();
  stream.end(body);
  await once(stream, 'close');
  return all;
}

/** An id, which is required. */
const request = Buffer.from([10, 1, 97]);

describe('B4: a request that is none is not taken for one', () => {
  test.each<[string, OutgoingHttpHeaders, Uint8Array, object]>([
    ['another method of HTTP', { ':method': 'PUT' }, framed(request), { ':status': 405, allow: 'POST' }],
    ['another codec', { 'content-type': 'application/grpc+json' }, framed(request), { ':status': 415 }],
    ['another type', { 'content-type': 'application/grpcx' }, framed(request), { ':status': 415 }],
    [
      'an unknown encoding',
      { 'grpc-encoding': 'foo' },
      framed(request),
      {
        'grpc-status': '12',
        'grpc-message': 'Received%20message%20compressed%20with%20unsupported%20encoding%20%22foo%22',
      },
    ],
    [
      'a compressed message without an encoding',
      {},
      framed(request, 1),
      {
        'grpc-status': '13',
        'grpc-message': 'a%20message%20is%20compressed,%20but%20grpc-encoding%20names%20no%20compression',
      },
    ],
  ])('%s', async (_, headers, body, answer) => {
    const before = handled;
    expect(await answerTo(headers, body)).toMatchObject(answer);
    expect(handled).toBe(before);
  });
});

test('an answer that is OK has no message, and binary metadata no padding', async () => {
  for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8']) {
    expect(await answerTo({ 'content-type': type }, framed(request))).toMatchObject({
      'grpc-status': '0',
      'grpc-message': '',
      'odd-bin': 'AQ',
    });
  }
});
