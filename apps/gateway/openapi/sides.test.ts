import { describe, expect, test } from '@jest/globals';
import { create, createFileRegistry, fromJson, setExtension } from '@bufbuild/protobuf';
import {
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  MethodOptionsSchema,
  file_google_protobuf_any,
  file_google_protobuf_field_mask,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
import {
  FieldRulesSchema,
  field as fieldRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { http } from '../../../gen/google/api/annotations_pb.js';
import { FieldBehavior, field_behavior } from '../../../gen/google/api/field_behavior_pb.js';
import { HttpRuleSchema } from '../../../gen/google/api/http_pb.js';
import { field } from '../../../http-rule/testing/library.ts';
import type { Rule } from '../../../http-rule/testing/library.ts';
import { bindingsOf } from '../binding/bindings.ts';
import { parametersOf, resolve } from './example.ts';
import { openApiOf } from './openapi.ts';
import type { MediaType, OpenApi, Operation, Schema } from './types.ts';

const repeated = { label: 'LABEL_REPEATED' };
const imports = [file_google_protobuf_any, file_google_protobuf_field_mask, file_google_protobuf_wrappers];
const messageType = [
  {
    name: 'Shelf',
    field: [
      field(1, 'name', 'string'),
      field(2, 'theme', 'string'),
      field(3, 'email', 'string', { oneofIndex: 0 }),
      field(4, 'phone', 'string', { oneofIndex: 0 }),
      field(5, 'place', '.test.Place'),
      field(6, 'kind', '.test.Kind'),
      field(7, 'counts', '.google.protobuf.Int64Value', repeated),
      field(8, 'count', '.google.protobuf.Int64Value'),
      field(9, 'secret', 'string'),
      field(10, 'made', 'string'),
      field(11, 'mask', '.google.protobuf.FieldMask'),
      field(12, 'any', '.google.protobuf.Any'),
    ],
    oneofDecl: [{ name: 'contact' }],
  },
  {
    name: 'Place',
    field: [
      field(1, 'town', 'string'),
      field(2, 'street', 'string', { oneofIndex: 0 }),
      field(3, 'box', 'string', { oneofIndex: 0 }),
    ],
    oneofDecl: [{ name: 'where' }],
  },
];

interface Marks {
  readonly validated?: readonly string[];
  readonly behaviors?: Readonly<Record<string, readonly FieldBehavior[]>>;
}

/** The document of `test.Library/M`, which takes and answers with a Shelf, and the operation of its binding. */
function documentOf(rule: Rule, { validated = [], behaviors = {} }: Marks = {}) {
  const proto = fromJson(FileDescriptorProtoSchema, {
    name: 'test.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: imports.map((each) => each.proto.name),
    enumType: [
      {
        name: 'Kind',
        value: [
          { name: 'KIND_UNSPECIFIED', number: 0 },
          { name: 'KIND_WIDE', number: 1 },
        ],
      },
    ],
    messageType,
    service: [
      { name: 'Library', method: [{ name: 'M', inputType: '.test.Shelf', outputType: '.test.Shelf' }] },
    ],
  });
  for (const each of proto.messageType.flatMap((message) => message.field)) {
    each.options = create(FieldOptionsSchema);
    if (validated.includes(each.name))
      setExtension(each.options, fieldRules, create(FieldRulesSchema, { required: true }));
    const marks = behaviors[each.name];
    if (marks !== undefined) setExtension(each.options, field_behavior, [...marks]);
  }
  const options = create(MethodOptionsSchema);
  setExtension(options, http, create(HttpRuleSchema, rule));
  proto.service[0]!.method[0]!.options = options;
  const files = createFileRegistry(proto, (path) => imports.find((each) => each.proto.name === path)?.proto);
  const bindings = bindingsOf([files.getService('test.Library')!]);
  const document = openApiOf({ bindings, comments: {}, bearer: false });
  const [item] = Object.values(document.paths);
  const [operation] = Object.values(item as Record<string, Operation>);
  return { document, operation: operation! };
}

const put = (value: string, body: string): Rule => ({ pattern: { case: 'put', value }, body });

const followed = (schema: Schema, document: OpenApi): Schema =>
  typeof schema['$ref'] === 'string' ? resolve(schema['$ref'], document) : schema;
const members = (schema: Schema) => schema['properties'] as Record<string, Schema>;

function bodyOf(rule: Rule, marks?: Marks) {
  const { document, operation } = documentOf(rule, marks);
  const { schema } = operation.requestBody!.content['application/json']!;
  return { ...operation.requestBody!, schema: followed(schema, document), document };
}

function answerOf(rule: Rule, marks?: Marks) {
  const { document, operation } = documentOf(rule, marks);
  const { content } = operation.responses['200'] as { content: Record<string, MediaType> };
  return { schema: followed(content['application/json']!.schema, document), document };
}

const all = messageType[0]!.field.map((each) => each['jsonName'] as string);
const but = (...names: string[]) => all.filter((name) => !names.includes(name));

describe('B11: the body * is what the path does not bind', () => {
  test('a required field of the path is not asked for in the body, nor is then a body', () => {
    const { schema, required } = bodyOf(put('/v1/{name}', '*'), { validated: ['name'] });
    expect(Object.keys(members(schema))).toEqual(but('name'));
    expect('required' in schema).toBe(false);
    expect(required).toBe(false);
  });

  test('what is required beside it is', () => {
    const { schema, required } = bodyOf(put('/v1/{name}', '*'), { validated: ['name', 'theme'] });
    expect([schema['required'], required]).toEqual([['theme'], true]);
  });

  test('nor is a field in a message', () => {
    const { schema } = bodyOf(put('/v1/{place.town}', '*'), { validated: ['town', 'place'] });
    expect(Object.keys(members(schema))).toEqual(all);
    expect('required' in schema).toBe(false);
    const place = members(schema)['place']!;
    expect(Object.keys(members(place))).toEqual(['street', 'box']);
    expect('required' in place).toBe(false);
  });
});

describe('C: siblings of a bound member of a oneof are not offered', () => {
  const choice = { oneOf: [{ required: ['email'] }, { required: ['phone'] }, { not: expect.anything() }] };

  test('in a body', () => {
    const { schema } = bodyOf(put('/v1/{phone}', '*'));
    expect(Object.keys(members(schema))).toEqual(but('email', 'phone'));
    expect('allOf' in schema).toBe(false);
    expect(bodyOf(put('/v1/{name}', '*')).schema['allOf']).toEqual([choice]);
  });

  test('in a message of a body', () => {
    const whole = bodyOf(put('/v1/{place.street}', '*')).schema;
    expect(Object.keys(members(members(whole)['place']!))).toEqual(['town']);
    const part = bodyOf(put('/v1/{place.street}', 'place')).schema;
    expect(Object.keys(members(part))).toEqual(['town']);
  });

  test.each([
    ['of the path', put('/v1/{phone}', ''), ['email']],
    ['of the body', put('/v1/{name}', 'phone'), ['email']],
    ['in a message, of the path', put('/v1/{place.street}', ''), ['place.box']],
  ])('in a query, %s', (_, rule, missing) => {
    const { document, operation } = documentOf(rule);
    const names = parametersOf(operation, document).flatMap((each) =>
      each.in === 'query' ? [each.name] : [],
    );
    expect(names).toContain('theme');
    expect(names.filter((name) => missing.includes(name))).toEqual([]);
  });
});

describe('C: what a request may have and what an answer may have are two schemas', () => {
  test('a rule of a request is none of an answer', () => {
    const marks = { validated: ['theme'] };
    const { schema: sent, document } = bodyOf(put('/v1', '*'), marks);
    const { schema: got } = answerOf(put('/v1', '*'), marks);
    expect([sent['required'], sent['additionalProperties']]).toEqual([['theme'], false]);
    expect('required' in got || 'additionalProperties' in got).toBe(false);
    const names = Object.keys(document.components.schemas).filter((name) => name.startsWith('test.'));
    expect(names).toEqual(
      ['Kind', 'Kind-Input', 'Place', 'Place-Input', 'Shelf', 'Shelf-Input'].map((name) => `test.${name}`),
    );
  });

  test('an enum is open in an answer, and its names in a request', () => {
    const kind = { type: 'string', enum: ['KIND_UNSPECIFIED', 'KIND_WIDE'] };
    const sent = bodyOf(put('/v1', '*'));
    expect(followed(members(sent.schema)['kind']!, sent.document)).toEqual(kind);
    const got = answerOf(put('/v1', '*'));
    expect(followed(members(got.schema)['kind']!, got.document)).toEqual({
      anyOf: [kind, { type: 'integer', format: 'int32' }],
    });
  });

  test('a wrapper can be null where it is a field, not where it is an entry', () => {
    const { schema } = bodyOf(put('/v1', '*'));
    expect(members(schema)).toMatchObject({
      count: { type: ['string', 'null'], format: 'int64' },
      counts: { type: 'array', items: { type: 'string', format: 'int64' } },
    });
  });

  test('an Any of an answer may be empty, and a FieldMask of one hold a *', () => {
    const { schema: sent } = bodyOf(put('/v1', '*'));
    const { schema: got } = answerOf(put('/v1', '*'));
    expect([members(sent)['any']!['required'], members(got)['any']!['required']]).toEqual([
      ['@type'],
      undefined,
    ]);
    const takes = (schema: Schema, text: string) =>
      new RegExp((schema['pattern'] as string | undefined) ?? '', 'u').test(text);
    expect(['a.bC,d', 'a_b', '*'].map((text) => takes(members(sent)['mask']!, text))).toEqual([
      true,
      false,
      false,
    ]);
    expect(takes(members(got)['mask']!, '*')).toBe(true);
  });

  test('a field that is the body is asked for when it is required itself', () => {
    expect(bodyOf(put('/v1', 'place'), { validated: ['town'] }).required).toBe(false);
    expect(bodyOf(put('/v1', 'place'), { validated: ['place'] }).required).toBe(true);
  });
});

describe('C: google.api.field_behavior', () => {
  const behaviors = {
    theme: [FieldBehavior.REQUIRED],
    secret: [FieldBehavior.INPUT_ONLY, FieldBehavior.OPTIONAL],
    made: [FieldBehavior.OUTPUT_ONLY],
    name: [FieldBehavior.REQUIRED, FieldBehavior.IMMUTABLE],
  };

  test('REQUIRED, OUTPUT_ONLY and INPUT_ONLY in a body', () => {
    const { schema, required } = bodyOf(put('/v1/{name}', '*'), { behaviors });
    expect([schema['required'], required]).toEqual([['theme'], true]);
    expect(Object.keys(members(schema))).toEqual(but('name', 'made'));
    expect(members(schema)['secret']).toEqual({ type: 'string', writeOnly: true });
  });

  test('in an answer', () => {
    const { schema } = answerOf(put('/v1/{name}', '*'), { behaviors });
    expect('required' in schema).toBe(false);
    expect(Object.keys(members(schema))).toEqual(but('secret'));
    expect(members(schema)['made']).toEqual({ type: 'string', readOnly: true });
  });

  test('in a query', () => {
    const { document, operation } = documentOf(put('/v1/{name}', ''), { behaviors });
    const query = parametersOf(operation, document).filter((each) => each.in === 'query');
    expect(query.find(({ name }) => name === 'theme')?.required).toBe(true);
    expect(query.map(({ name }) => name)).not.toContain('made');
    expect(query.map(({ name }) => name)).toContain('secret');
  });
});

test('C: servers, security and errors of each operation', () => {
  const { document, operation } = documentOf(put('/v1/{name}', '*'));
  expect([document.servers, document.security]).toEqual([[{ url: '/' }], []]);
  const error = { $ref: '#/components/responses/Error' };
  expect(operation.responses).toMatchObject({ '4XX': error, default: error });
});

describe('C: parameters of a path have names that linters and generators take', () => {
  test.each([
    ['/v1/{place.town}', ['place_town']],
    ['/v1/{name=shelves/*/books/*}', ['name_1', 'name_2']],
    ['/v1/*/{name}/**', ['wildcard_1', 'name', 'wildcard_2']],
    ['/v1/*/{place.town=a/*}/{theme}', ['wildcard_1', 'place_town_1', 'theme']],
  ])('%s', (template, names) => {
    const { document, operation } = documentOf({ pattern: { case: 'get', value: template } });
    const inPath = parametersOf(operation, document).filter((each) => each.in === 'path');
    expect(inPath.map(({ name }) => name)).toEqual(names);
    const [path] = Object.keys(document.paths);
    expect([...path!.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name)).toEqual(names);
  });
});
