import { expect, test } from '@jest/globals';
import { sizesOf } from './sizes.ts';

const mebi = 2 ** 20;

test.each([
  [32, { maxBytes: 4 * mebi, bodyBytes: 2_015_232, answerBytes: 2_080_768, maxStreams: 256 }],
  [64, { maxBytes: 8 * mebi, bodyBytes: 4_112_384, answerBytes: 4_177_920, maxStreams: 500 }],
  [256, { maxBytes: 32 * mebi, bodyBytes: 4 * mebi, answerBytes: 4 * mebi, maxStreams: 500 }],
])('defaults fit a container of %i MiB', (memory, sizes) => {
  expect(sizesOf({}, memory * mebi)).toEqual({ ...sizes, problems: [] });
});

test('a size that someone chose is taken up to what one client may hold, less what holds it; gzip is for bodies only', () => {
  const MAX_BYTES = 4 * mebi;
  const most = { BODY_LIMIT_BYTES: 2_015_232, ANSWER_LIMIT_BYTES: 2_080_768, MAX_STREAMS: 256 };
  expect(sizesOf({ MAX_BYTES, ...most })).toEqual({
    maxBytes: MAX_BYTES,
    bodyBytes: 2_015_232,
    answerBytes: 2_080_768,
    maxStreams: 256,
    problems: [],
  });
  const more = { BODY_LIMIT_BYTES: 2_015_233, ANSWER_LIMIT_BYTES: 2_080_769, MAX_STREAMS: 257 };
  expect(sizesOf({ MAX_BYTES, ...more }).problems).toEqual([
    'BODY_LIMIT_BYTES: exceeds what a single client may use, half of MAX_BYTES less 81920 for a stream and gzip; received 2015233; allowed at most 2015232',
    'ANSWER_LIMIT_BYTES: exceeds what a single client may use, half of MAX_BYTES less 16384 for a stream; received 2080769; allowed at most 2080768',
    'MAX_STREAMS: exceeds what MAX_BYTES has room for, 16384 for each stream; received 257; allowed at most 256',
  ]);
});
