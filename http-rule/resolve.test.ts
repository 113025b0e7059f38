import { describe, expect, test } from '@jest/globals';
import { ruleProblemText } from './problem.ts';
import { resolveRules } from './resolve.ts';
import { field, library, withBindings } from './testing/library.ts';
import type { Rule } from './testing/library.ts';

const get = (value: string): Rule => ({ pattern: { case: 'get', value } });
const reserved = ['/healthz', '/docs'];

const resolved = (rules: Record<string, Rule | undefined>) =>
  resolveRules(library(rules).service.methods, reserved);
const textsOf = (rules: Record<string, Rule | undefined>) => resolved(rules).problems.map(ruleProblemText);

test('a rule with the fields that it names', () => {
  const { bindings, problems } = resolved({
    Plain: undefined,
    Put: {
      pattern: { case: 'put', value: '/v1/{main_author.id}/{publish_time}' },
      body: 'second_author',
      responseBody: 'tags',
      additionalBindings: [{ pattern: { case: 'post', value: '/v1/{name=books/*}' }, body: '*' }],
    },
  });
  expect(problems).toEqual([]);
  const named = bindings.map(({ httpMethod, source, variables, body, responseBody }) => ({
    httpMethod,
    source,
    variables: variables.map((fields) => fields.map(({ name }) => name)),
    body: body.kind === 'field' ? body.field.name : body.kind,
    responseBody: responseBody?.name,
  }));
  expect(named).toEqual([
    {
      httpMethod: 'PUT',
      source: '/v1/{main_author.id}/{publish_time}',
      variables: [['main_author', 'id'], ['publish_time']],
      body: 'second_author',
      responseBody: 'tags',
    },
    {
      httpMethod: 'POST',
      source: '/v1/{name=books/*}',
      variables: [['name']],
      body: 'message',
      responseBody: undefined,
    },
  ]);
});

test('everything that is wrong is told, of one rule and of all', () => {
  expect(
    textsOf({
      Two: { ...get('/v1/{authors.id}/{extra}'), body: 'a.b' },
      Sound: get('/v1/sound'),
      Reserved: get('/{nme}'),
      Equal: withBindings(get('/v1/{name}'), [get('/v1/{box=*}'), get('/v1/%73ound')]),
    }),
  ).toEqual([
    expect.stringMatching(
      /^test\.Library\/Two: body of GET .*: test\.Book has no field "a\.b"; received "a\.b"; allowed \*, or name, /,
    ),
    'test.Library/Two: variable authors.id: authors is repeated, so it has no field "id"; ' +
      'received "/v1/{authors.id}/{extra}"',
    'test.Library/Two: variable extra: a path cannot hold a field of this kind; received "/v1/{authors.id}/{extra}"; ' +
      'allowed a scalar, an enum, a wrapper, Timestamp, Duration or FieldMask, not repeated',
    expect.stringMatching(/^test\.Library\/Reserved: variable nme: test\.Book has no field "nme"; received /),
    'test.Library/Reserved: the path takes /healthz, which the gateway itself answers; received "/{nme}"; ' +
      'fix: begin it with a prefix such as /v1',
    'test.Library/Equal: the HTTP method and path are also those of GET /v1/{name} of test.Library/Equal; ' +
      'received "GET /v1/{box=*}"; fix: change the path of one of them',
    'test.Library/Equal: the HTTP method and path are also those of GET /v1/sound of test.Library/Sound; ' +
      'received "GET /v1/%73ound"; fix: change the path of one of them',
  ]);
});

test('only sound bindings are there', () => {
  const { bindings } = resolved({
    Mixed: withBindings(get('/v1/{name}'), [get('/v1/{nme}/x'), get('/v1/{box}/y')]),
  });
  expect(bindings.map(({ source }) => source)).toEqual(['/v1/{name}', '/v1/{box}/y']);
});

describe('bindings that are near to each other', () => {
  test.each<[string, Rule, Rule]>([
    ['by HTTP method', get('/v1/a'), { pattern: { case: 'put', value: '/v1/a' } }],
    [
      'any method and one',
      get('/v1/a'),
      { pattern: { case: 'custom', value: { kind: '*', path: '/v1/a' } } },
    ],
    ['by verb', get('/v1/a'), get('/v1/a:do')],
    ['a literal and a wild card', get('/v1/a'), get('/v1/{name}')],
    ['one segment and any number', get('/v1/{name}'), get('/v1/{name=**}')],
    ['a literal that looks like a wild card', get('/v1/%2A'), get('/v1/*')],
    ['a slash in a segment', get('/v1/a%2Fb'), get('/v1/a/b')],
  ])('%s are told apart', (_, a, b) => {
    expect(textsOf({ A: a, B: b })).toEqual([]);
  });
});

test.each([['/healthz/x'], ['/{name}:do'], ['/v1/{name=**}'], ['/Docs'], ['/*/*']])(
  'the path %s takes nothing of what is reserved',
  (path) => {
    expect(textsOf({ M: get(path) })).toEqual([]);
  },
);

test('delimited encoding is found wherever it is in the messages of a method, each field once', () => {
  const group = (number: number, name: string) => field(number, name, '.test.Inner', { type: 'TYPE_GROUP' });
  const messages = [
    { name: 'Inner', field: [field(1, 'outer', '.test.Outer'), group(2, 'inner')] },
    { name: 'Outer', field: [field(1, 'name', 'string'), group(2, 'box')] },
  ];
  const rules = { Plain: undefined, M: get('/v1/{name}'), N: get('/v1/n') };
  const { service } = library(rules, { message: 'Outer', messages });
  const what = 'the gateway does not support fields in delimited encoding (groups)';
  expect(resolveRules(service.methods, reserved).problems.map(ruleProblemText)).toEqual([
    `test.Library/M: ${what}; received "test.Outer.box"; fix: use length-prefixed encoding`,
    `test.Library/M: ${what}; received "test.Inner.inner"; fix: use length-prefixed encoding`,
  ]);
});
