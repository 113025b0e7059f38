import { describe, expect, test } from '@jest/globals';
import { library } from '../../testing/library.ts';
import type { Rule } from '../../testing/library.ts';
import { bindingsOf, routerOf } from './bindings.ts';

describe('a wrong option', () => {
  test.each<[Rule, string]>([
    [{ body: '*' }, 'test.Library/M: the google.api.http option has no pattern'],
    [
      { pattern: { case: 'get', value: '/v1/{' } },
      'test.Library/M: path template "/v1/{": a field name expected at offset 5',
    ],
    [{ pattern: { case: 'get', value: '/v1/{nme}' } }, 'test.Library/M: test.Book has no field "nme"'],
    [
      { pattern: { case: 'get', value: '/v1/{name.x}' } },
      'test.Library/M: variable name.x: name is no message',
    ],
    [
      { pattern: { case: 'get', value: '/v1/{tags}' } },
      'test.Library/M: variable tags: a path cannot hold a field of this kind',
    ],
    [
      { pattern: { case: 'get', value: '/v1/{main_author}' } },
      'test.Library/M: variable main_author: a path cannot hold a field of this kind',
    ],
    [
      { pattern: { case: 'post', value: '/v1' }, body: 'bok' },
      'test.Library/M: test.Book has no field "bok"',
    ],
    [
      { pattern: { case: 'post', value: '/v1' }, responseBody: 'bok' },
      'test.Library/M: test.Book has no field "bok"',
    ],
    [
      {
        pattern: { case: 'get', value: '/v1/{name}' },
        additionalBindings: [{ pattern: { case: 'get', value: '/v1/{shelf}' } }],
      },
      'test.Library/M: another route has this method and an equal path',
    ],
  ])('%j', (rule, message) => {
    expect(() => routerOf(bindingsOf([library({ M: rule }).service]))).toThrow(message);
  });
});

test.each([
  ['/docs', '/docs'],
  ['/{name}', '/healthz'],
  ['/{name=**}', '/healthz'],
  ['/openapi%2Ejson', '/openapi.json'],
])('a binding of %s is refused: it takes %s', (template, taken) => {
  const { service } = library({ M: { pattern: { case: 'post', value: template } } });
  const shown = JSON.stringify(decodeURIComponent(template));
  expect(() => routerOf(bindingsOf([service]))).toThrow(
    `test.Library/M: path template ${shown}: takes ${taken}, which the gateway answers itself; begin it with a prefix such as /v1`,
  );
});
