import { expect, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { ConformanceService } from '../../gen/conformance/v1/conformance_pb.js';
import type { Binding } from '../../http-rule/binding.ts';
import { TemplateError, parseTemplate } from '../../http-rule/template.ts';
import { StatusError } from '../runtime/status.ts';
import { fuzzLimitMs, fuzzRuns } from '../testing/fuzz.ts';
import { bindingsOf, routerOf } from './binding/bindings.ts';
import { codecOf } from './codec/codec.ts';
import type { BindingCodec } from './codec/codec.ts';
import { Router } from './binding/router.ts';
import { variableValues } from './codec/path.ts';

const router = routerOf(bindingsOf([ConformanceService]));
const registry = createRegistry(ConformanceService.file);
const codecs = new Map<Binding, BindingCodec>();

function codecFor(binding: Binding): BindingCodec {
  const codec = codecs.get(binding) ?? codecOf(binding, registry);
  codecs.set(binding, codec);
  return codec;
}

/** Any request: what it becomes is bytes that are an answer's JSON again, or INVALID_ARGUMENT. */
function request(method: string, path: string, query: string, body: Uint8Array): void {
  try {
    const found = router.find(method, path);
    if (found.kind !== 'route') return;
    codecFor(found.target).decode({ path: found.path, query, body });
  } catch (error) {
    expect(error).toBeInstanceOf(StatusError);
    expect((error as StatusError).code).toBe(status.INVALID_ARGUMENT);
  }
}

const fields = ConformanceService.method.query.input.fields;
const name = fc.oneof(
  fc.constantFrom(...fields.map((field) => field.name), ...fields.map((field) => field.jsonName)),
  fc.constantFrom(
    'nested.name',
    'nested.child.child.tags',
    'recursive.recursive.int64_value',
    'nested.__proto__',
  ),
  fc.constantFrom('__proto__', 'constructor', 'constructor.prototype', '@type', 'value', ''),
  fc.string(),
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '0',
    '-0',
    '1e3',
    '1e999999999',
    '9223372036854775808',
    'true',
    'NaN',
    'KIND_SMALL',
    'null',
  ),
  fc.constantFrom(
    '2026-02-29T03:04:05Z',
    '9999-12-31T23:59:59.999999999Z',
    '-315576000000.1s',
    'a,b',
    'a_b.cD,_,',
    '*,a.*.b',
    'AA=',
    '-_',
  ),
);

test(
  'paths and queries',
  () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'v1',
        'path',
        'string',
        'numbers',
        'verbs',
        'tree',
        'rest',
        'shelves',
        'books',
        'any',
        'fixed',
      ),
      fc.constantFrom(
        '%2F',
        '%2f',
        '%',
        '%zz',
        '%ff',
        '%F0%9F%98%80',
        ':',
        'a:undelete',
        '..',
        '.',
        '',
        '%00',
        '\u00e9',
      ),
      fc.string({ maxLength: 10 }),
    );
    const path = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('/')}`);
    const encoded = fc
      .array(fc.tuple(name, text))
      .map((pairs) =>
        pairs
          .map(
            ([key, value]) =>
              `${encodeURIComponent(key.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`,
          )
          .join('&'),
      );
    const query = fc.oneof(
      encoded,
      fc.string(),
      fc.array(fc.tuple(name, text)).map((pairs) => pairs.map((pair) => pair.join('=')).join('&')),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('GET', 'POST', 'HEAD', 'PURGE'),
        path,
        query,
        (method, anyPath, anyQuery) => {
          request(method, anyPath, anyQuery, new Uint8Array());
          request('GET', '/v1/query', anyQuery, new Uint8Array());
        },
      ),
      { numRuns: fuzzRuns(1_000) },
    );
  },
  fuzzLimitMs,
);

test(
  'bodies',
  () => {
    const leaf = fc.oneof(
      text.map((each) => JSON.stringify(each)),
      fc.constantFrom(
        '0',
        '-1',
        '1.5',
        '1e400',
        '123456789012345678901234567890',
        'true',
        'null',
        '{}',
        '[]',
        '[null]',
        '"\\ud800"',
      ),
    );
    const { object } = fc.letrec<{ object: string; any: string }>((tie) => ({
      object: fc
        .array(fc.tuple(name, tie('any')), { maxLength: 4 })
        .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
      any: fc.oneof(
        { depthSize: 'small' },
        leaf,
        tie('object'),
        fc.array(tie('any'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
      ),
    }));
    const deep = fc
      .tuple(fc.constantFrom('[', '{"recursive":', '{"nested":{"child":', '{"struct":{"a":'), fc.nat(5_000))
      .map(([open, times]) => `{"value":${open.repeat(times)}`);
    const body = fc.oneof(
      object.map((json) => Buffer.from(json)),
      fc.json().map((json) => Buffer.from(json)),
      deep.map((json) => Buffer.from(json)),
      fc.tuple(object, fc.nat(), fc.nat(255)).map(([json, at, byte]) => {
        const bytes = Buffer.from(json);
        bytes[at % bytes.length] = byte;
        return bytes;
      }),
      fc.uint8Array(),
    );
    const target = fc.constantFrom<[string, string]>(
      ['POST', '/v1/body/all'],
      ['POST', '/v1/body/all/a/b'],
      ['PATCH', '/v1/body/inside/a'],
      ...[
        'int64',
        'bool',
        'bytes',
        'kind',
        'repeated-string',
        'repeated-message',
        'map',
        'timestamp',
        'struct',
        'value',
        'wrapper',
        'any-type',
      ].map((kind): [string, string] => ['PUT', `/v1/body/${kind}/s`]),
    );
    fc.assert(
      fc.property(target, body, ([method, path], bytes) => {
        request(method, path, '', bytes);
      }),
      { numRuns: fuzzRuns(1_000) },
    );
  },
  fuzzLimitMs,
);

test(
  'templates',
  () => {
    const piece = fc.constantFrom(
      '/',
      '*',
      '**',
      '{',
      '}',
      '=',
      ':',
      '.',
      'a',
      'b1',
      '%41',
      '%',
      ' ',
      '\u00fc',
      '{a=b/*}',
      '{c}',
    );
    const template = fc.array(piece, { maxLength: 10 }).map((pieces) => `/${pieces.join('')}`);
    const path = fc
      .array(fc.constantFrom('/', 'a', 'b', ':', '%2F', '%', 'x'), { maxLength: 12 })
      .map((pieces) => `/${pieces.join('')}`);
    fc.assert(
      fc.property(template, path, (anyTemplate, anyPath) => {
        try {
          const parsed = parseTemplate(anyTemplate);
          const only = new Router<null>();
          only.add('GET', parsed, null);
          const found = only.find('GET', anyPath);
          if (found.kind === 'route') variableValues(parsed, found.path);
        } catch (error) {
          if (!(error instanceof TemplateError))
            expect(error).toMatchObject({ name: 'StatusError', code: status.INVALID_ARGUMENT });
        }
      }),
      { numRuns: fuzzRuns(1_000) },
    );
  },
  fuzzLimitMs,
);
