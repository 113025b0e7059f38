import { expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { pageToken, readPage } from './paging.ts';

test.each([
  [0, 50],
  [1, 1],
  [200, 200],
  [201, 200],
  [2_147_483_647, 200],
])('a page_size of %d is %d', (pageSize, size) => {
  expect(readPage({ pageSize, pageToken: '' })).toEqual({ size, after: undefined });
});

test('a token brings its key back', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (key) => {
      expect(readPage({ pageSize: 0, pageToken: pageToken(key) }).after).toBe(key);
    }),
  );
});

test('refuses a negative size and a token of another making', () => {
  expect(() => readPage({ pageSize: -1, pageToken: '' })).toThrow(
    expect.objectContaining({
      code: status.INVALID_ARGUMENT,
      message: 'page_size: -1 received; allowed 0 or more',
    }),
  );
  for (const token of ['*', 'cC0x=', ' ', 'a']) {
    expect(() => readPage({ pageSize: 0, pageToken: token })).toThrow(
      expect.objectContaining({
        code: status.INVALID_ARGUMENT,
        message:
          'page_token: not one this method returned; allowed the next_page_token of the page before, or empty',
      }),
    );
  }
});
