import { describe, expect, test } from '@jest/globals';
import { isLasting } from './image-failure.ts';

const image = 'registry.example/shop/catalog:1';
const failed = (why: string) =>
  `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${why}`;

describe('a failed pull', () => {
  test.each([
    failed(`${image}: not found`),
    failed('manifest unknown'),
    failed('pull access denied, repository does not exist or may require authorization'),
    failed('unexpected status from HEAD request to https://registry.example/v2/: 401 Unauthorized'),
    failed('unexpected status from HEAD request to https://registry.example/v2/: 403 Forbidden'),
    failed('failed to authorize: failed to fetch anonymous token: no basic auth credentials'),
    'no match for platform in manifest: not found',
    'Back-off pulling image "x": ErrImagePull: manifest unknown: manifest unknown',
  ])('that lasts: %s', (message) => {
    expect(isLasting(message, image)).toBe(true);
  });

  test.each([
    failed('failed to do request: Head "https://x/v2/": dial tcp: lookup registry.example: no such host'),
    failed('failed to do request: Head "https://x/v2/": dial tcp 127.0.0.1:443: connect: connection refused'),
    failed('unexpected status from HEAD request to https://registry.example/v2/: 503 Service Unavailable'),
    failed('429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit'),
    failed('net/http: TLS handshake timeout'),
    failed('context deadline exceeded'),
    'something that nobody has seen yet',
    '',
  ])('that may be over at the next try: %s', (message) => {
    expect(isLasting(message, image)).toBe(false);
  });

  test("the image's own name says nothing", () => {
    const odd = 'registry.example/unauthorized/denied:404';
    expect(isLasting(`${odd}: it went wrong`, odd)).toBe(false);
    expect(isLasting('Back-off pulling image "registry.example/forbidden:1"', undefined)).toBe(false);
  });
});
