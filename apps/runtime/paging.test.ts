import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { ListProductsRequestSchema } from '../../gen/test/catalog/v1/catalog_pb.js';
import { ListOrdersRequestSchema } from '../../gen/test/orders/v1/orders_pb.js';
import { readPage } from './paging.ts';

const products = (init: MessageInitShape<typeof ListProductsRequestSchema>) =>
  readPage(ListProductsRequestSchema, create(ListProductsRequestSchema, init));
const orders = (init: MessageInitShape<typeof ListOrdersRequestSchema>) =>
  readPage(ListOrdersRequestSchema, create(ListOrdersRequestSchema, init));

test.each([
  [0, 50],
  [1, 1],
  [200, 200],
  [201, 200],
  [2_147_483_647, 200],
])('a page_size of %d is %d', (pageSize, size) => {
  expect(products({ pageSize })).toMatchObject({ size, after: undefined });
});

describe('a token', () => {
  test('brings its key back, and does not show it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4, unit: 'grapheme' }), (key) => {
        const pageToken = products({}).tokenAfter(key);
        expect(pageToken).toMatch(/^[\w-]+$/);
        expect(Buffer.from(pageToken, 'base64url').includes(key)).toBe(false);
        expect(products({ pageToken }).after).toBe(key);
      }),
    );
  });

  test('holds for another page_size', () => {
    const pageToken = orders({ pageSize: 2, productId: 'p-1' }).tokenAfter('o-1');
    expect(orders({ pageSize: 7, productId: 'p-1', pageToken })).toMatchObject({ size: 7, after: 'o-1' });
  });

  test('does not hold for other fields', () => {
    const pageToken = orders({ productId: 'p-1' }).tokenAfter('o-1');
    for (const productId of ['', 'p-2']) {
      expect(() => orders({ productId, pageToken })).toThrow(
        expect.objectContaining({
          code: status.INVALID_ARGUMENT,
          message:
            'page_token: belongs to a request with other fields; only page_size may change from page to page',
        }),
      );
    }
  });

  test('is refused when it is of another making, of another method, or changed in any bit', () => {
    const good = products({}).tokenAfter('p-1');
    const bytes = Buffer.from(good, 'base64url');
    const changed = Array.from({ length: bytes.length * 8 }, (_, bit) => {
      const copy = Buffer.from(bytes);
      copy[bit >> 3]! ^= 1 << (bit & 7);
      return copy.toString('base64url');
    });
    const short = bytes.subarray(0, -1).toString('base64url');
    for (const pageToken of [
      '*',
      ' ',
      'a',
      'cC0x',
      `${good}=`,
      short,
      orders({}).tokenAfter('p-1'),
      ...changed,
    ]) {
      expect(() => products({ pageToken })).toThrow(
        expect.objectContaining({
          code: status.INVALID_ARGUMENT,
          message:
            'page_token: not a token that this method returned; allowed the next_page_token of the previous page, or empty',
        }),
      );
    }
  });
});
