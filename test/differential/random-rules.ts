import type { JsonObject } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { field, withBindings } from '../../http-rule/testing/library.ts';
import type { Rule } from '../../http-rule/testing/library.ts';

/** A service with random google.api.http options, on a random message. */
export interface RandomLibrary {
  readonly rules: Readonly<Record<string, Rule | undefined>>;
  readonly streaming: readonly string[];
  readonly messages: readonly JsonObject[];
}

/** Fields that every message has, and that a path can hold; and those that it may have, of any kind. */
const textual = ['a', 'b', 'c'];
const others = ['d', 'e', 'f'];

/** What of a library may be odd. */
const aspects = [
  'fields',
  'name',
  'inside',
  'literal',
  'reserved',
  'equal',
  'repeated',
  'start',
  'verb',
  'kind',
  'pattern',
  'body',
  'nested',
] as const;

type Aspect = (typeof aspects)[number];
type Odd = ReadonlySet<Aspect>;

const repeated = { label: 'LABEL_REPEATED' };
const textualKind = fc.constantFrom(
  ...[
    'string',
    'int64',
    'bytes',
    '.test.Kind',
    '.google.protobuf.Timestamp',
    '.google.protobuf.BoolValue',
    'oneof',
  ],
);
const otherKind = fc.constantFrom('.test.Inner', '.test.Inner[]', 'string[]', 'map', 'oneof .test.Inner');
const anyKind = fc.oneof(textualKind, otherKind, fc.constant('group'));

function fieldOf(number: number, name: string, kind: string): JsonObject {
  if (kind === 'map') return field(number, name, '.test.Book.ExtraEntry', repeated);
  if (kind === 'group') return field(number, name, '.test.Author', { type: 'TYPE_GROUP' });
  if (kind.startsWith('oneof')) return field(number, name, kind.slice(6) || 'string', { oneofIndex: 0 });
  return kind.endsWith('[]') ? field(number, name, kind.slice(0, -2), repeated) : field(number, name, kind);
}

function message(name: string, odd: Odd): fc.Arbitrary<JsonObject> {
  return fc
    .record({
      sure: fc.tuple(...textual.map(() => textualKind)),
      more: fc.subarray(others),
      kinds: fc.tuple(...others.map(() => (odd.has('fields') ? anyKind : fc.oneof(textualKind, otherKind)))),
    })
    .map(({ sure, more, kinds }) => {
      const named = [...textual, ...more].map(
        (each, index) => [each, [...sure, ...kinds][index] ?? ''] as const,
      );
      const fields = named.map(([each, kind], index) => fieldOf(index + 1, each, kind));
      // No oneof is without fields.
      const oneofDecl = fields.some((each) => 'oneofIndex' in each) ? [{ name: 'choice' }] : [];
      return { name, field: fields, oneofDecl };
    });
}

/** One of the first most of the time, one of the second where odd things are wanted. */
function mostly<T>(usual: readonly T[], odd: boolean, strange: readonly T[]): fc.Arbitrary<T> {
  const common = { weight: 12, arbitrary: fc.constantFrom(...usual) };
  return odd ? fc.oneof(common, { weight: 2, arbitrary: fc.constantFrom(...strange) }) : fc.oneof(common);
}

const reserved = ['/docs', '/openapi%2Ejson', '/{a}', '/{a=**}', '/*', '/healthz/**', '/readyz:do'];
const words = 'ghijklmnopqrstuvwxyz'.split('');

function template(odd: Odd): fc.Arbitrary<string> {
  const name = mostly(textual, odd.has('name'), [
    ...others,
    'd.a',
    'e.b',
    'f.d.c',
    'nofield',
    'a.a',
    'a.',
    '1a',
    '',
  ]);
  const inside = mostly(['', '', '', '=*', '=x/*', '=*/y'], odd.has('inside'), ['=**', '=x/**', '=', '={b}']);
  const variable = fc.tuple(name, inside).map(([path, value]) => `{${path}${value}}`);
  const literal = mostly(['x', 'y', '%78', 'caf%C3%A9', '*', '%2A', 'x%2Fy'], odd.has('literal'), [
    '**',
    '%zz',
    '',
    'a b',
    'caf%c3%a9',
  ]);
  return fc
    .record({
      start: mostly(['/v1/'], odd.has('start'), ['/', '']),
      word: odd.has('equal') ? fc.constantFrom('x', '{a}', '{b}', '%78') : fc.constantFrom(...words),
      segments: odd.has('repeated')
        ? fc.array(fc.oneof(literal, variable), { maxLength: 3 })
        : fc.uniqueArray(fc.oneof(literal, variable), { maxLength: 3, selector: variableOf }),
      verb: mostly(['', '', ':do', ':d%6f'], odd.has('verb'), [':%zz', ':', ':a:b']),
    })
    .chain(({ start, word, segments, verb }) =>
      mostly([`${start}${[word, ...segments].join('/')}${verb}`], odd.has('reserved'), reserved),
    );
}

/** The name of a variable; a literal is as good as its text. */
function variableOf(segment: string): string {
  return /^\{(\w+)/.exec(segment)?.[1] ?? segment;
}

function single(odd: Odd): fc.Arbitrary<Rule> {
  const value = template(odd);
  const standard = fc.record({ case: fc.constantFrom('get', 'put', 'post', 'delete', 'patch'), value });
  const kind = mostly(['*', 'GET', 'REPORT', 'get'], odd.has('kind'), ['', 'A B']);
  const custom = fc.record({ case: fc.constant('custom'), value: fc.record({ kind, path: value }) });
  const pattern = fc.oneof({ weight: 6, arbitrary: standard }, { weight: 1, arbitrary: custom });
  const strange = [...others, 'nofield', 'a.a', '*'];
  return fc
    .record({
      pattern: odd.has('pattern') ? fc.option(pattern, { freq: 20, nil: undefined }) : pattern,
      body: mostly(['', '*', ...textual], odd.has('body'), strange),
      responseBody: mostly(['', '', ...textual], odd.has('body'), strange),
    })
    .map(({ pattern: each, ...more }) => ({ ...(each === undefined ? {} : { pattern: each }), ...more }));
}

function bound(rule: fc.Arbitrary<Rule>, additional: fc.Arbitrary<Rule>): fc.Arbitrary<Rule> {
  return fc
    .tuple(rule, fc.array(additional, { maxLength: 2 }))
    .map(([each, more]) => withBindings(each, more));
}

function libraryOf(odd: Odd): fc.Arbitrary<RandomLibrary> {
  const one = single(odd);
  const additional = odd.has('nested')
    ? fc.oneof({ weight: 12, arbitrary: one }, { weight: 1, arbitrary: bound(one, one) })
    : one;
  const rule = bound(one, additional);
  return fc
    .record({
      first: rule,
      more: fc.array(fc.option(rule, { freq: 5, nil: undefined }), { maxLength: 2 }),
      streaming: fc.subarray(['First', 'More0']),
      messages: fc.tuple(message('Outer', odd), message('Inner', odd)),
    })
    .map(({ first, more, streaming, messages }) => ({
      rules: { First: first, ...Object.fromEntries(more.map((each, index) => [`More${index}`, each])) },
      streaming,
      messages,
    }));
}

/** A library whose first method has an option, of the message Outer; the others may have none. Nothing of it is odd. */
export const plainLibrary: fc.Arbitrary<RandomLibrary> = libraryOf(new Set());

/** The same, with nothing odd, everything, or one aspect: then all else is right, so that nothing else stops a gateway. */
export const randomLibrary: fc.Arbitrary<RandomLibrary> = fc.oneof(
  { weight: 3, arbitrary: plainLibrary },
  { weight: 2, arbitrary: libraryOf(new Set(aspects)) },
  ...aspects.map((aspect) => ({ weight: 1, arbitrary: libraryOf(new Set([aspect])) })),
);
