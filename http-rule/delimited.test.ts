import { describe, expect, test } from '@jest/globals';
import { create, createFileRegistry, fromJson, setExtension } from '@bufbuild/protobuf';
import type { JsonObject } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, MethodOptionsSchema } from '@bufbuild/protobuf/wkt';
import { http } from '../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../gen/google/api/http_pb.js';
import { ruleProblemText } from './problem.ts';
import { resolveRules } from './resolve.ts';
import { field } from './testing/library.ts';

const group = { type: 'TYPE_GROUP' };
const repeated = { label: 'LABEL_REPEATED' };
const proto2 = { syntax: 'proto2' };
const edition = { syntax: 'editions', edition: 'EDITION_2023' };
const delimited = { options: { features: { messageEncoding: 'DELIMITED' } } };

/** What is wrong with `GET /v1/{name}` of a service whose request or answer holds a field of a message. */
function problemsOf(syntax: JsonObject, side: string, holder: JsonObject): string[] {
  const proto = fromJson(FileDescriptorProtoSchema, {
    ...syntax,
    name: 'test.proto',
    package: 'test',
    messageType: [
      { name: 'Plain', field: [field(1, 'name', 'string')] },
      { name: 'Holder', field: [field(1, 'name', 'string'), holder] },
      { name: 'Outer', field: [field(1, 'name', 'string'), field(2, 'holders', '.test.Holder', repeated)] },
    ],
    service: [
      {
        name: 'Service',
        method: [
          {
            name: 'Get',
            inputType: side === 'query' ? '.test.Outer' : '.test.Plain',
            outputType: side === 'query' ? '.test.Plain' : '.test.Outer',
          },
        ],
      },
    ],
  });
  const options = create(MethodOptionsSchema);
  setExtension(options, http, create(HttpRuleSchema, { pattern: { case: 'get', value: '/v1/{name}' } }));
  proto.service[0]!.method[0]!.options = options;
  const { methods } = createFileRegistry(proto, () => undefined).getService('test.Service')!;
  const { bindings, problems } = resolveRules(methods, []);
  expect(bindings).toHaveLength(1);
  return problems.map(ruleProblemText);
}

describe.each(['query', 'answer'])('B7: delimited encoding in a %s', (side) => {
  test.each<[string, JsonObject, JsonObject]>([
    ['a group of proto2', proto2, field(2, 'box', '.test.Plain', group)],
    ['groups of proto2', proto2, field(2, 'box', '.test.Plain', { ...group, ...repeated })],
    ['a field of an edition', edition, field(2, 'box', '.test.Plain', delimited)],
    [
      'a repeated field of an edition',
      edition,
      field(2, 'box', '.test.Plain', { ...delimited, ...repeated }),
    ],
  ])('%s is refused', (_, syntax, holder) => {
    expect(problemsOf(syntax, side, holder)).toEqual([
      'test.Service/Get: the gateway does not support fields in delimited encoding (groups); ' +
        'received "test.Holder.box"; fix: use length-prefixed encoding',
    ]);
  });

  test('a file of an edition that makes it the default', () => {
    const problems = problemsOf({ ...edition, ...delimited }, side, field(2, 'box', '.test.Plain'));
    expect(problems).toEqual(
      ['test.Outer.holders', 'test.Holder.box'].map(
        (name) =>
          'test.Service/Get: the gateway does not support fields in delimited encoding (groups); ' +
          `received "${name}"; fix: use length-prefixed encoding`,
      ),
    );
  });

  test('a message of an edition, length-prefixed', () => {
    expect(problemsOf(edition, side, field(2, 'box', '.test.Plain'))).toEqual([]);
  });
});
