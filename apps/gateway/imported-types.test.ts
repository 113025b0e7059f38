import { afterEach, describe, expect, test } from '@jest/globals';
import { create, createFileRegistry, createRegistry, fromJson, setExtension } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
  anyPack,
  file_google_protobuf_any,
} from '@bufbuild/protobuf/wkt';
import type { Any } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { http } from '../../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../../gen/google/api/http_pb.js';
import { field } from '../../http-rule/testing/library.ts';
import { statusError } from '../runtime/status.ts';
import { call, json, start, stopAll } from '../testing/gateway.ts';

afterEach(stopAll);

const file = (name: string, dependency: string[], more: object) =>
  fromJson(FileDescriptorProtoSchema, {
    name,
    package: 'test',
    syntax: 'proto3',
    dependency,
    ...more,
  });

const anyFile = file_google_protobuf_any.proto.name;
// The service's file imports reason.proto, which imports place.proto; no method names a message of the two.
const files = [
  file_google_protobuf_any.proto,
  file('place.proto', [], { messageType: [{ name: 'Place', field: [field(1, 'town', 'string')] }] }),
  file('reason.proto', ['place.proto'], {
    messageType: [{ name: 'Reason', field: [field(1, 'code', 'int32'), field(2, 'place', '.test.Place')] }],
  }),
  file('service.proto', [anyFile, 'reason.proto'], {
    messageType: [
      { name: 'Held', field: [field(1, 'any', '.google.protobuf.Any'), field(2, 'fails', 'bool')] },
    ],
    service: [
      { name: 'Service', method: [{ name: 'Hold', inputType: '.test.Held', outputType: '.test.Held' }] },
    ],
  }),
];
const options = create(MethodOptionsSchema);
setExtension(
  options,
  http,
  create(HttpRuleSchema, { pattern: { case: 'post', value: '/v1/held' }, body: '*' }),
);
files[3]!.service[0]!.method[0]!.options = options;
const all = createFileRegistry(create(FileDescriptorSetSchema, { file: files }));
const service = all.getService('test.Service')!;

/** Answers with its request, or fails with what is in it for a detail. */
const hold = ({ any, fails }: { any?: Any; fails: boolean }) => {
  if (fails) throw statusError(status.NOT_FOUND, 'not here', any === undefined ? [] : [any]);
  return { any };
};

async function holding() {
  const { url } = await start({
    implementation: { service, handlers: { hold } },
    // The files of services, without what these import.
    registry: createRegistry(service.file),
  });
  return (body: object) => call(`${url}/v1/held`, json(body));
}

describe('B3: a message of a file that is only imported', () => {
  const reason = { '@type': 'type.googleapis.com/test.Reason', code: 7, place: { town: 'Ulm' } };
  const place = { '@type': 'type.googleapis.com/test.Place', town: 'Ulm' };

  test.each([
    ['imported', reason],
    ['imported by what is imported', place],
  ])('in an Any, and as the detail of an error: %s', async (_, any) => {
    const ask = await holding();
    expect(await ask({ any })).toMatchObject({ status: 200, body: { any } });
    expect(await ask({ any, fails: true })).toMatchObject({
      status: 404,
      body: { code: 5, message: 'not here', details: [any] },
    });
  });

  test('a type of no file is refused', async () => {
    const ask = await holding();
    const nothing = { '@type': 'type.googleapis.com/test.Nothing' };
    expect(await ask({ any: nothing })).toMatchObject({
      status: 400,
      body: { code: 3, message: 'body.any: "@type" names an unknown type' },
    });
  });
});

describe('B7: an Any of a message with delimited encoding', () => {
  const withGroup = file('group.proto', [], {
    syntax: 'proto2',
    messageType: [
      {
        name: 'Holder',
        field: [field(1, 'box', '.test.Holder.Box', { type: 'TYPE_GROUP' })],
        nestedType: [{ name: 'Box', field: [field(1, 'size', 'int32')] }],
      },
      { name: 'Outer', field: [field(1, 'holder', '.test.Holder')] },
    ],
  });
  const groups = createFileRegistry(withGroup, () => undefined);

  test.each(['Holder', 'Outer'])('of %s is refused in a request, and INTERNAL in an answer', async (name) => {
    const desc = groups.getMessage(`test.${name}`)!;
    const handlers = { hold: () => ({ any: anyPack(desc, create(desc)) }) };
    const { url } = await start({
      implementation: { service, handlers },
      registry: createRegistry(service.file, groups),
    });
    const any = { '@type': `type.googleapis.com/test.${name}` };
    expect(await call(`${url}/v1/held`, json({ any }))).toMatchObject({
      status: 400,
      body: { message: 'body.any: "@type" names a type with delimited encoding (groups), not supported' },
    });
    expect(await call(`${url}/v1/held`, json({}))).toMatchObject({
      status: 500,
      body: {
        code: 13,
        message:
          'answer of type test.Held as JSON: an Any holds a type with delimited encoding (groups), which is not supported',
      },
    });
  });
});
