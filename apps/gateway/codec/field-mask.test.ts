import { describe, expect, test } from '@jest/globals';
import { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { FieldMaskSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { EchoResponseSchema, EveryKindSchema } from '../../../gen/conformance/v1/conformance_pb.js';
import { fuzzLimitMs, fuzzRuns } from '../../testing/fuzz.ts';
import { library } from '../../../http-rule/testing/library.ts';
import { bindingsOf } from '../binding/bindings.ts';
import { codecOf } from './codec.ts';
import { codecAt } from './testing/codecs.ts';

function decode(method: string, path: string, query: string, body = '') {
  return fromBinary(
    EveryKindSchema,
    codecAt(method, path).decode({ path: [], query, body: Buffer.from(body) }),
  );
}

const inQuery = (mask: string) =>
  decode('GET', '/v1/query', `fieldMask=${encodeURIComponent(mask)}`).fieldMask?.paths;

const inBody = (mask: string) =>
  decode('POST', '/v1/body/all', '', JSON.stringify({ fieldMask: mask })).fieldMask?.paths;

describe('a mask in a query', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['name', ['name']],
    ['display_name,price.units', ['display_name', 'price.units']],
    ['displayName,price.unitsLeft', ['display_name', 'price.units_left']],
    [
      'main_author.displayName,mainAuthor.display_name',
      ['main_author.display_name', 'main_author.display_name'],
    ],
    ['address_line_1,a__b,c_,_d', ['address_line_1', 'a__b', 'c_', '_d']],
    ['odd_Name', ['odd_Name']],
    ['*', ['*']],
    ['name,*', ['name', '*']],
    ['authors.*.given_name,authors.*.familyName', ['authors.*.given_name', 'authors.*.family_name']],
    ['reviews.*', ['reviews.*']],
  ])('%s', (mask, paths) => {
    expect(inQuery(mask)).toEqual(paths);
  });

  test.each(['a,,b', ',', 'a b', 'a-b', '1', '.a', 'a[0]', '**', '*.a', '.*', 'a*', 'a.*b', 'a_b,a.b*', 'é'])(
    '%s is refused',
    (mask) => {
      expect(() => inQuery(mask)).toThrow(
        expect.objectContaining({
          code: status.INVALID_ARGUMENT,
          message:
            'query parameter "fieldMask": paths of field names (snake_case or lowerCamelCase) or * expected, separated by commas',
        }),
      );
    },
  );

  test('of several is added to, each in its own spelling', () => {
    const masks = decode('GET', '/v1/query', 'repeated_field_mask=a_b&repeatedFieldMask=cD,e_f');
    expect(masks.repeatedFieldMask.map(({ paths }) => paths)).toEqual([['a_b'], ['c_d', 'e_f']]);
  });
});

test('a mask in a path takes both spellings and *', () => {
  const { service, registry } = library({
    Get: { pattern: { case: 'get', value: '/v1/masks/{mask}' } },
  });
  const [binding] = bindingsOf([service]);
  const bytes = codecOf(binding!, registry).decode({
    path: ['v1', 'masks', 'a_b,cD,*,e.*'],
    query: '',
    body: undefined,
  });
  expect(fromBinary(service.method['get']!.input, bytes)).toMatchObject({
    mask: { paths: ['a_b', 'c_d', '*', 'e.*'] },
  });
});

test('a mask in a body is ProtoJSON: lowerCamelCase only', () => {
  expect(inBody('displayName,price.units')).toEqual(['display_name', 'price.units']);
});

test.each(['display_name', '*', 'name,*', 'authors.*.givenName'])(
  'a mask in a body is ProtoJSON: %s is refused',
  (mask) => {
    expect(() => inBody(mask)).toThrow(
      expect.objectContaining({
        code: status.INVALID_ARGUMENT,
        message: 'body.fieldMask: paths in lowerCamelCase expected, separated by commas',
      }),
    );
  },
);

describe('a mask in an answer', () => {
  const codec = codecAt('GET', '/v1/query');
  const binary = (paths: string[]) => {
    const request = create(EveryKindSchema);
    request.fieldMask = create(FieldMaskSchema, { paths });
    return toBinary(EchoResponseSchema, create(EchoResponseSchema, { request }));
  };
  const written = (paths: string[]) => Buffer.from(codec.encode(binary(paths))).toString();

  test.each<[string, string[]]>([
    ['*', ['*']],
    ['displayName,*,a.b', ['display_name', '*', 'a.b']],
    ['authors.*.givenName,reviews.*,a.*.*', ['authors.*.given_name', 'reviews.*', 'a.*.*']],
  ])('is %s, as protobuf-es writes it', (mask, paths) => {
    const echoed = { request: { fieldMask: mask } };
    expect(JSON.parse(written(paths))).toMatchObject(echoed);
    expect(toJson(EchoResponseSchema, fromBinary(EchoResponseSchema, binary(paths)))).toMatchObject(echoed);
  });

  test.each([
    '',
    '**',
    '*.a',
    '.*',
    'a*',
    'a.*b',
    'a_*',
    'a_.*',
    'fooBar',
    'foo_3_bar',
    'foo__bar',
    'a"',
    'a,b',
  ])('with the path %j has no JSON form', (path) => {
    expect(() => written(['*', path])).toThrow(
      expect.objectContaining({
        code: status.INTERNAL,
        message:
          'answer of type conformance.v1.EchoResponse as JSON: a FieldMask has a path without a JSON form',
      }),
    );
  });

  test.each(['*', 'name,*', 'authors.*.givenName', 'displayName,reviews.*'])(
    'gives back what a query had: %s',
    (mask) => {
      const paths = inQuery(mask);
      expect(JSON.parse(written(paths ?? []))).toMatchObject({ request: { fieldMask: mask } });
    },
  );
});

test(
  'both spellings of any names that have both are the same mask, and the proto names are kept',
  () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
    const path = fc.array(fc.array(word, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
    const proto = (words: string[]) => words.join('_');
    const json = (words: string[]) =>
      proto(words).replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    fc.assert(
      fc.property(
        fc.array(path, { minLength: 1, maxLength: 3 }),
        fc.infiniteStream(fc.boolean()),
        (paths, coin) => {
          const written = (spell: (words: string[]) => string) =>
            paths.map((each) => each.map(spell).join('.'));
          const names = written(proto);
          expect(inQuery(names.join(','))).toEqual(names);
          expect(inQuery(written(json).join(','))).toEqual(names);
          expect(inBody(written(json).join(','))).toEqual(names);
          const mixed = written((words) => (coin.next().value === true ? proto(words) : json(words)));
          expect(inQuery(mixed.join(','))).toEqual(names);
        },
      ),
      { numRuns: fuzzRuns(250) },
    );
  },
  fuzzLimitMs,
);
