import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { canonical } from './canonical.ts';
import { framed } from './framed.ts';
import { watched } from './metadata.ts';
import { isSame, judge } from './compare.ts';
import { differences } from './differences.ts';
import type { Comparison, Difference } from './differences/difference.ts';
import { pageOf } from './page.ts';

const comparison = (ours: [number, string], theirs: [number, string], target = '/v1/x'): Comparison => {
  const [mine, its] = [ours, theirs].map(([status, text]) => ({ status, text, json: canonical(text) }));
  return { request: { method: 'GET', target }, peer: 'Envoy', ours: mine!, theirs: its! };
};

test('JSON is compared by value: order, spaces and escapes do not matter, every digit does', () => {
  expect(canonical('{"a":1,"b":[true,null]}')).toEqual(
    canonical(' { "b" : [ true, null ], "\\u0061" : 1 } '),
  );
  expect(canonical('9007199254740993')).not.toEqual(canonical('9007199254740992'));
  expect(canonical('1e2')).toEqual(canonical('100.0'));
  expect(canonical('"1"')).not.toEqual(canonical('1'));
  expect(canonical('-0.0')).not.toEqual(canonical('0.0'));
  expect(canonical('{"__proto__":1}')).not.toEqual(canonical('{}'));
  expect(canonical('no JSON')).toBeUndefined();
});

test('the metadata that a gateway adds is not compared', () => {
  expect(canonical('{"method":"Query","metadata":[{"name":"user-agent"}]}')).toEqual(
    canonical('{"method":"Query"}'),
  );
});

test('the messages of a stream are the same in lines and in a list; an error is not left out', () => {
  const lines = '{"result":{"a":1}}\n{"result":{"a":2}}\n';
  expect(framed(lines)).toEqual(framed('[{"a":1},{"a":2}]'));
  expect(framed('')).toEqual(framed('[]'));
  expect(framed(lines + '{"error":{"code":5}}\n')).not.toEqual(framed(lines));
  expect(framed('{"result":1}\nbroken')).toEqual([{ '.result': 'number 1' }, 'no JSON: broken']);
});

test('metadata is what the echo received and what came back, prefixed or not, of the names watched', () => {
  const text = '{"metadata":[{"name":"x-a","values":["1","]}"]},{"name":"other","values":["2"]}]}';
  const response = { headers: { 'grpc-metadata-x-a': '3', other: '4' }, trailers: { 'x-a': '5' } };
  expect(watched(['x-a'], text, response)).toEqual({
    received: { 'x-a': '1,]}' },
    headers: { 'grpc-metadata-x-a': '3' },
    trailers: { 'x-a': '5' },
  });
  expect(watched(['x-a'], '{"code":5}', { headers: {}, trailers: {} })).toEqual({
    received: {},
    headers: {},
    trailers: {},
  });
});

test('an error that the backend was asked for has to arrive as it is, another by its status', () => {
  const texts = [
    [400, '{"code":3,"message":"a"}'],
    [400, '{"code":3,"message":"b"}'],
  ] as const;
  expect(isSame(comparison([...texts[0]], [...texts[1]]))).toBe(true);
  expect(isSame(comparison([...texts[0]], [...texts[1]], '/v1/fail/3'))).toBe(false);
  expect(isSame(comparison([400, ''], [404, '']))).toBe(false);
  expect(isSame(comparison([200, '1'], [200, '2']))).toBe(false);
});

test('a difference that is not listed, and a listed one that is gone, are told', () => {
  const entry: Difference = {
    rule: 'x is refused',
    peers: ['Envoy', 'grpc-gateway'],
    theirs: 'takes it',
    right: 'either',
    by: 'nothing',
    when: (_, line) => line.includes('/v1/x'),
  };
  const found = [comparison([400, ''], [200, '1']), comparison([400, ''], [200, '1'], '/v1/y')];
  expect(judge(found, [entry])).toEqual({
    unlisted: ['GET /v1/y \n  ours: 400 \n  Envoy: 200 1'],
    gone: ['x is refused (grpc-gateway)'],
  });
});

test('docs/gateway-differences.md is made from the table', () => {
  const file = new URL('../../docs/gateway-differences.md', import.meta.url);
  const page = pageOf(differences);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, page);
  expect(readFileSync(file, 'utf8')).toBe(page);
  expect(new Set(differences.map(({ rule }) => rule)).size).toBe(differences.length);
});
