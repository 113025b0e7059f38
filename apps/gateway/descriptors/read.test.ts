import { describe, expect, test } from '@jest/globals';
import { create, equals, fromBinary, getOption, hasOption, toBinary } from '@bufbuild/protobuf';
import type { DescFile, DescMessage, DescMethod, DescService } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import {
  DescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { field as rulesOf, FieldRulesSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import fc from 'fast-check';
import { http } from '../../../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../../../gen/google/api/http_pb.js';
import { comments as sourceComments } from '../../../gen/comments.js';
import { ConformanceService } from '../../../gen/conformance/v1/conformance_pb.js';
import { Health } from '../../../gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.js';
import { TestService, UnimplementedService } from '../../../gen/grpc/testing/test_pb.js';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { descriptorSet } from '../../config/descriptors/descriptor-set.ts';
import { knownFiles } from '../../config/descriptors/known-files.ts';
import { fuzzRuns } from '../../testing/fuzz.ts';
import { withImports } from '../../runtime/server/descriptors.ts';
import { bindingsOf } from '../binding/bindings.ts';
import { openApiOf } from '../openapi/openapi.ts';
import { parseDescriptors } from './read.ts';
import type { Descriptors } from './read.ts';

const all: readonly DescService[] = [
  ...[CatalogService, InventoryService, OrdersService, ConformanceService],
  ...[TestService, UnimplementedService, Health, ServerReflection],
];

function parsed(bytes: Uint8Array): Descriptors {
  const read = parseDescriptors(bytes);
  if ('problems' in read) throw new Error(read.problems.join('\n'));
  return read;
}

/** Some of the services, in any order. */
const some = fc.shuffledSubarray([...all], { minLength: 1 });

describe('a set of any services', () => {
  test('has the same bytes in whatever order they come, and again', () => {
    const property = fc.property(some, (services) => {
      const { bytes } = descriptorSet(services, sourceComments);
      expect(descriptorSet(services.toReversed(), sourceComments).bytes).toEqual(bytes);
      expect(descriptorSet([...services, ...services], { ...sourceComments }).bytes).toEqual(bytes);
    });
    fc.assert(property, { numRuns: fuzzRuns(50) });
  });

  test('is a google.protobuf.FileDescriptorSet that is written as the library writes it', () => {
    const property = fc.property(some, (services) => {
      const { bytes, files } = descriptorSet(services, sourceComments);
      const file = files.map((each) => parsedFile(each.bytes));
      expect(bytes).toEqual(
        Buffer.from(toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }))),
      );
    });
    fc.assert(property, { numRuns: fuzzRuns(50) });
  });

  test('gives back these services and no others: methods, messages, fields and options', () => {
    const property = fc.property(some, (services) => {
      const read = parsed(descriptorSet(services).bytes);
      const names = services.map(({ typeName }) => typeName).sort();
      expect([...read.services.keys()].sort()).toEqual(names);
      for (const service of services) {
        const found = read.services.get(service.typeName)!;
        expect(found.methods.map(shapeOf)).toEqual(service.methods.map(shapeOf));
        for (const [index, method] of service.methods.entries()) {
          const other = found.methods[index]!;
          expect(toBinary(MethodDescriptorProtoSchema, other.proto)).toEqual(
            toBinary(MethodDescriptorProtoSchema, method.proto),
          );
          expect(hasOption(other, http)).toBe(hasOption(method, http));
          expect(equals(HttpRuleSchema, getOption(other, http), getOption(method, http))).toBe(true);
        }
        for (const message of messagesOf(service.file)) {
          const other = read.registry.getMessage(message.typeName)!;
          expect(toBinary(DescriptorProtoSchema, other.proto)).toEqual(
            toBinary(DescriptorProtoSchema, message.proto),
          );
          for (const [index, field] of message.fields.entries()) {
            const same = other.fields[index]!;
            expect([same.localName, same.number, same.fieldKind]).toEqual([
              field.localName,
              field.number,
              field.fieldKind,
            ]);
            expect(equals(FieldRulesSchema, getOption(same, rulesOf), getOption(field, rulesOf))).toBe(true);
          }
        }
      }
    });
    fc.assert(property, { numRuns: fuzzRuns(50) });
  });

  test('has each file after what it imports, and none that a gateway has', () => {
    const property = fc.property(some, (services) => {
      const before = new Set(knownFiles.keys());
      for (const { name, bytes } of descriptorSet(services).files) {
        expect(knownFiles.has(name)).toBe(false);
        for (const imported of parsedFile(bytes).dependency) expect(before).toContain(imported);
        before.add(name);
      }
    });
    fc.assert(property, { numRuns: fuzzRuns(50) });
  });
});

test('the document of services is the same as by generated code, comments and all', () => {
  const services = [CatalogService, InventoryService, OrdersService, ConformanceService];
  const read = parsed(descriptorSet(services, sourceComments).bytes);
  const document = openApiOf({
    bindings: bindingsOf(services.map(({ typeName }) => read.services.get(typeName)!)),
    comments: read.comments,
    bearer: false,
  });
  expect(document).toEqual(
    openApiOf({ bindings: bindingsOf(services), comments: read.comments, bearer: false }),
  );
  // Of a service, a method, a message, a field of it, and an enum's value.
  expect(read.comments).toMatchObject({
    'test.catalog.v1.CatalogService': 'What the shop sells, and at what price.',
    'test.catalog.v1.CatalogService.GetProduct': 'One product by its id. NOT_FOUND when there is none.',
    'test.catalog.v1.Money': 'An amount of money, as in ISO 4217.',
    'test.catalog.v1.Money.currency_code': 'Three-letter currency code, such as "EUR".',
  });
});

test('comments follow a service whose neighbour is left out of the set', () => {
  const said = {
    'grpc/testing/test.proto': [
      { path: [6, 0], text: ' First.\n' },
      { path: [6, 1], text: ' Second.\n' },
      { path: [6, 1, 2, 0], text: ' Its method,\n in two lines.\n\n And a paragraph.\n' },
    ],
  };
  const of = (...services: DescService[]) => parsed(descriptorSet(services, said).bytes).comments;
  const second = {
    'grpc.testing.UnimplementedService': 'Second.',
    'grpc.testing.UnimplementedService.UnimplementedCall': 'Its method, in two lines.\n\nAnd a paragraph.',
  };
  expect(TestService.file.services.map(({ typeName }) => typeName).slice(0, 2)).toEqual([
    'grpc.testing.TestService',
    'grpc.testing.UnimplementedService',
  ]);
  expect(of(UnimplementedService)).toEqual(second);
  expect(of(TestService)).toEqual({ 'grpc.testing.TestService': 'First.' });
  expect(of(TestService, UnimplementedService)).toEqual({ 'grpc.testing.TestService': 'First.', ...second });
});

test("files that a set has beside the gateway's own, in any order, as other programs write them", () => {
  const protos = [...withImports([OrdersService.file])].map(({ proto }) => proto);
  expect(protos.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['google/protobuf/timestamp.proto', 'buf/validate/validate.proto']),
  );
  const order = fc.shuffledSubarray(protos, { minLength: protos.length });
  const property = fc.property(order, (file) => {
    const read = parsed(toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file })));
    expect([...read.services.keys()].sort()).toEqual([CatalogService.typeName, OrdersService.typeName]);
    const { input } = read.services.get(OrdersService.typeName)!.methods[0]!;
    const time = input.file.dependencies.find(
      ({ proto }) => proto.name === 'google/protobuf/timestamp.proto',
    );
    expect(time).toBe(knownFiles.get('google/protobuf/timestamp.proto'));
  });
  fc.assert(property, { numRuns: fuzzRuns(50) });
});

describe('a set that cannot be used: all that is wrong', () => {
  const message = (name: string, field: readonly string[] = []) => ({
    name,
    field: field.map((typeName, index) => ({
      name: `f${index}`,
      number: index + 1,
      type: 11,
      label: 1,
      typeName,
    })),
  });
  const file = (name: string, dependency: string[], messageType: object[] = []) =>
    create(FileDescriptorProtoSchema, { name, package: 'test', syntax: 'proto3', dependency, messageType });
  const setOf = (...files: FileDescriptorProto[]) =>
    toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: files }));
  const own = "which is neither in the set nor one of the gateway's own files";

  test.each<[string, Uint8Array, readonly string[]]>([
    ['nothing', new Uint8Array(), ['has no files; allowed a google.protobuf.FileDescriptorSet']],
    [
      'bytes of something else',
      Buffer.from('syntax = "proto3";'),
      ['is not a google.protobuf.FileDescriptorSet: illegal tag: field no 13 wire type 7'],
    ],
    [
      'a set that is cut short',
      setOf(file('a.proto', [])).subarray(0, -1),
      ['is not a google.protobuf.FileDescriptorSet: premature EOF'],
    ],
    [
      'another message, all of it unknown here',
      toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, { package: 'shop' })),
      ['has no files; allowed a google.protobuf.FileDescriptorSet'],
    ],
    ['files without a name', setOf(file('', [])), ['has a file without a name']],
    ['two files of one name', setOf(file('a.proto', []), file('a.proto', [])), ['has two files "a.proto"']],
    [
      'imports that are missing',
      setOf(file('a.proto', ['b.proto', 'c.proto']), file('d.proto', ['a.proto', 'google/type/money.proto'])),
      [
        `"a.proto" imports "b.proto", ${own}`,
        `"a.proto" imports "c.proto", ${own}`,
        `"d.proto" imports "google/type/money.proto", ${own}`,
      ],
    ],
    [
      'imports in a circle',
      setOf(file('a.proto', ['b.proto']), file('b.proto', ['c.proto']), file('c.proto', ['b.proto'])),
      ['imports go in a circle: "b.proto", "c.proto", "b.proto"'],
    ],
    [
      'types that are missing',
      setOf(
        file('a.proto', [], [message('A', ['.test.Gone'])]),
        file('b.proto', [], [message('B')]),
        file('c.proto', ['a.proto', 'b.proto'], [message('C', ['.test.A', '.test.B'])]),
        file('d.proto', [], [message('D', ['.test.Away'])]),
      ),
      [
        '"a.proto": invalid FieldDescriptorProto: type_name .test.Gone not found',
        '"d.proto": invalid FieldDescriptorProto: type_name .test.Away not found',
      ],
    ],
    [
      'a type in two files',
      setOf(file('a.proto', [], [message('A')]), file('b.proto', [], [message('A')])),
      ['"b.proto": test.A is also in "a.proto"'],
    ],
    [
      'several of them',
      setOf(
        file('', []),
        file('a.proto', ['b.proto']),
        file('c.proto', [], [message('C', ['.test.Gone'])]),
        file('d.proto', [], [message('D')]),
        file('e.proto', [], [message('D')]),
      ),
      [
        'has a file without a name',
        `"a.proto" imports "b.proto", ${own}`,
        '"c.proto": invalid FieldDescriptorProto: type_name .test.Gone not found',
        '"e.proto": test.D is also in "d.proto"',
      ],
    ],
  ])('%s', (_, bytes, problems) => {
    expect(parseDescriptors(bytes)).toEqual({ problems });
  });

  test('files that import each other through many others are read at once', () => {
    const layers = 60;
    const files = Array.from({ length: layers }, (_, index) =>
      ['a', 'b'].map((side) =>
        file(`${side}${index}.proto`, index === 0 ? [] : [`a${index - 1}.proto`, `b${index - 1}.proto`]),
      ),
    ).flat();
    const started = performance.now();
    parsed(setOf(...files.toReversed()));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

test('what every gateway has imports nothing else', () => {
  for (const file of knownFiles.values())
    for (const { proto } of file.dependencies) expect([...knownFiles.keys()]).toContain(proto.name);
});

function parsedFile(bytes: Uint8Array): FileDescriptorProto {
  return fromBinary(FileDescriptorProtoSchema, bytes);
}

function shapeOf({ name, localName, methodKind, idempotency, input, output }: DescMethod) {
  return { name, localName, methodKind, idempotency, input: input.typeName, output: output.typeName };
}

function messagesOf(file: DescFile): readonly DescMessage[] {
  return [...nestedTypes(file)].filter((type) => type.kind === 'message');
}
