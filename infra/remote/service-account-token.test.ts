import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isNearEnd, describeLifetime, tokenClaims } from './service-account-token.ts';
import { tokenWith } from '../testing/control-plane.ts';

const day = 24 * 60 * 60;

describe('tokenClaims', () => {
  test('reads whose token it is, what it is bound to, and its life', () => {
    const kubernetes = { serviceaccount: { uid: 'account-1' }, secret: { name: 'bound', uid: 'secret-1' } };
    expect(tokenClaims(tokenWith({ iat: 100, exp: 200, 'kubernetes.io': kubernetes }))).toEqual({
      issued: 100,
      expires: 200,
      accountUid: 'account-1',
      boundTo: { name: 'bound', uid: 'secret-1' },
    });
  });

  test('has nothing for a token without an end, or what is no token', () => {
    const kubernetes = { serviceaccount: { uid: 'account-1' } };
    expect(tokenClaims(tokenWith({ iat: 100, 'kubernetes.io': kubernetes }))).toBeUndefined();
    for (const token of ['', 'a', 'a.b', 'a.b.c', tokenWith([]), 'e30.bnVsbA.s'])
      expect(tokenClaims(token)).toBeUndefined();
  });

  test('never throws, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => tokenWith({ json })),
        ),
        (text) => {
          expect(tokenClaims(text)).toBeUndefined();
        },
      ),
    );
  });

  test('finds again what a token was made of', () => {
    const part = fc.record({ name: fc.string(), uid: fc.string() });
    const claims = fc.record({ iat: fc.nat(), exp: fc.nat(), secret: part, uid: fc.string() });
    fc.assert(
      fc.property(claims, ({ iat, exp, secret, uid }) => {
        const token = tokenWith({ iat, exp, 'kubernetes.io': { secret, serviceaccount: { uid } } });
        expect(tokenClaims(token)).toEqual({ issued: iat, expires: exp, accountUid: uid, boundTo: secret });
      }),
    );
  });
});

test.each([
  [30, 19.9, false],
  [30, 20, true],
  [1, 0.6, false],
  [1, 0.7, true],
])('a token of %s days is near its end after %s: %s', (life, after, near) => {
  const claims = { issued: 1000, expires: 1000 + life * day, accountUid: 'a' };
  expect(isNearEnd(claims, (1000 + after * day) * 1000)).toBe(near);
});

test('says how long a token lives, and when that is less than was asked for', () => {
  const claims = { issued: 0, expires: 30 * day, accountUid: 'a' };
  expect(describeLifetime(claims, 30)).toBe('until 1970-01-31T00:00:00.000Z');
  expect(describeLifetime(claims, 90)).toBe(
    'until 1970-01-31T00:00:00.000Z; warning: the server granted 30.0 of the 90 days requested, so run up again before then',
  );
});
