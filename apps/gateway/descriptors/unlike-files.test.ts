import { describe, expect, test } from '@jest/globals';
import { clone, create, createFileRegistry, fromJson, toBinary } from '@bufbuild/protobuf';
import type { DescFile, DescService, JsonObject } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { descriptorSet } from '../../config/descriptors/descriptor-set.ts';
import { knownFiles } from '../../config/descriptors/known-files.ts';
import { fuzzRuns } from '../../testing/fuzz.ts';
import { parseDescriptors } from './read.ts';

const field = (name: string, number: number, typeName: string) => ({
  ...{ name, number, label: 'LABEL_OPTIONAL' },
  ...(typeName === '' ? { type: 'TYPE_STRING' } : { type: 'TYPE_MESSAGE', typeName }),
});

/** A new descriptor each time, as each copy of generated code has its own. */
function file(name: string, imports: readonly DescFile[], declared: JsonObject): DescFile {
  const dependency = imports.map(({ proto }) => proto.name);
  const json = { name, package: 'test', syntax: 'proto3', dependency, ...declared };
  return built(fromJson(FileDescriptorProtoSchema, json), imports);
}

function built(proto: FileDescriptorProto, imports: readonly DescFile[]): DescFile {
  const registry = createFileRegistry(proto, (path) => imports.find((each) => each.proto.name === path));
  return registry.getFile(proto.name)!;
}

/** A file of its own with a message and services that take and give it. */
function served(
  base: string,
  services: readonly string[],
  more: JsonObject = {},
  { imports = [], pkg = 'test' }: { readonly imports?: readonly DescFile[]; readonly pkg?: string } = {},
): readonly DescService[] {
  const type = `.${pkg}.${base}Message`;
  const own = file(`${base}.proto`, imports, {
    package: pkg,
    messageType: [{ name: `${base}Message` }],
    service: services.map((name) => ({
      name,
      method: [{ name: 'Call', inputType: type, outputType: type }],
    })),
    ...more,
  });
  return own.services;
}

describe('copies of generated code for one file', () => {
  const shared = (names = ['id']) =>
    file('shared.proto', [], {
      messageType: [{ name: 'Shared', field: names.map((name, index) => field(name, index + 1, '')) }],
    });
  const copy = (names?: string[]) => [
    ...served('A', ['One', 'Two', 'Three'], {}, { imports: [shared(names)] }),
    ...served('B', ['Four'], {}, { imports: [shared(names)] }),
  ];

  test('that are equal are one file, whichever each service comes from', () => {
    const whole = copy().slice(1);
    const one = descriptorSet(whole);
    expect(one.clashes).toEqual([]);
    const mixed = fc
      .tuple(...whole.map((_, index) => fc.constantFrom(copy()[index + 1]!, copy()[index + 1]!)))
      .chain((services) => fc.shuffledSubarray(services, { minLength: services.length }));
    const property = fc.property(mixed, (services) => {
      const { bytes, clashes, services: names } = descriptorSet([...services, ...copy().slice(2)]);
      expect({ bytes, clashes, names }).toEqual({ bytes: one.bytes, clashes: [], names: one.services });
    });
    fc.assert(property, { numRuns: fuzzRuns(50) });
    expect([...one.services]).toEqual(['test.Four', 'test.Three', 'test.Two']);
  });

  test('that differ are told once for each file, in any order, also where only one imports it', () => {
    const services = [copy()[0]!, copy(['id', 'name'])[3]!, copy()[1]!, copy(['other'])[0]!];
    const told = [['shared.proto', 'shared.proto', 'shared.proto']];
    expect(descriptorSet(services).clashes).toEqual(told);
    expect(descriptorSet(services.toReversed()).clashes).toEqual(told);
  });
});

test('two unlike descriptors of one service are told, in one file and in two', () => {
  const [one] = served('A', ['Same']);
  const [other] = served('A', ['Same'], { messageType: [{ name: 'AMessage' }, { name: 'More' }] });
  const [elsewhere] = served('B', ['Same']);
  expect(descriptorSet([one!, other!]).clashes).toEqual([['A.proto', 'A.proto', 'A.proto']]);
  expect(descriptorSet([elsewhere!, one!]).clashes).toEqual([['test.Same', 'A.proto', 'B.proto']]);
  expect(descriptorSet([one!, elsewhere!]).services).toEqual(['test.Same']);
});

describe('two files of other names that declare one type', () => {
  const messages = (base: string, ...more: JsonObject[]) => ({
    messageType: [{ name: `${base}Message` }, ...more],
  });
  test.each<[string, (base: string) => JsonObject, readonly string[]]>([
    [
      'a message, and one in it',
      (base) => messages(base, { name: 'Money', nestedType: [{ name: 'Unit' }] }),
      ['test.Money', 'test.Money.Unit'],
    ],
    [
      'an enum',
      () => ({ enumType: [{ name: 'Kind', value: [{ name: 'NONE', number: 0 }] }] }),
      ['test.Kind'],
    ],
  ])('%s: told with both files, in any order', (_, declared, names) => {
    const services = ['A', 'B'].flatMap((base) => served(base, [`${base}Service`], declared(base)));
    const told = names.map((name) => [name, 'A.proto', 'B.proto']);
    expect([...descriptorSet(services).clashes].sort()).toEqual(told);
    expect([...descriptorSet(services.toReversed()).clashes].sort()).toEqual(told);
  });

  test('a service of both that is left out is no clash, and one left out of one file alone', () => {
    const [a, left] = served('A', ['First', 'Left']);
    const [b] = served('B', ['Second', 'Left']);
    for (const services of [
      [a!, b!],
      [a!, left!, b!],
    ]) {
      const { bytes, clashes } = descriptorSet(services);
      expect(clashes).toEqual([]);
      const read = parseDescriptors(bytes);
      expect('problems' in read ? read.problems : [...read.services.keys()].sort()).toEqual(
        services.map(({ typeName }) => typeName).sort(),
      );
    }
  });
});

describe('a type that every gateway has', () => {
  const messageType = [{ name: 'AMessage' }, { name: 'Status' }];
  const [service] = served('A', ['Checks'], { messageType }, { pkg: 'google.rpc' });

  test('is told where another file declares it, in the set and by a gateway that is given it', () => {
    expect(descriptorSet([service!]).clashes).toEqual([
      ['google.rpc.Status', 'google/rpc/status.proto', 'A.proto'],
    ]);
    const set = create(FileDescriptorSetSchema, { file: [service!.file.proto] });
    expect(parseDescriptors(toBinary(FileDescriptorSetSchema, set))).toEqual({
      problems: ['"A.proto": google.rpc.Status is also in "google/rpc/status.proto"'],
    });
  });
});

describe('a file of the name of one that every gateway has', () => {
  const name = 'buf/validate/validate.proto';
  const own = knownFiles.get(name)!;
  const unknownOf = (change: (proto: FileDescriptorProto) => void) => {
    const proto = clone(FileDescriptorProtoSchema, own.proto);
    change(proto);
    const [service] = served('A', ['Checks'], {}, { imports: [built(proto, own.dependencies)] });
    const { unknown, files, clashes } = descriptorSet([service!]);
    expect([files.map((each) => each.name), clashes]).toEqual([['A.proto'], []]);
    return unknown;
  };
  const messageOf = (proto: FileDescriptorProto, wanted: string) =>
    proto.messageType.find((each) => each.name === wanted)!;

  test('of the same content, or an older one of which the gateway has all, is the same', () => {
    expect(unknownOf(() => undefined)).toEqual([]);
    const older = (proto: FileDescriptorProto) => {
      delete proto.options;
      proto.extension.pop();
      proto.messageType = proto.messageType.filter((each) => each.name !== 'RepeatedRules');
      for (const each of proto.messageType)
        each.field = each.field.filter(({ typeName }) => typeName !== '.buf.validate.RepeatedRules');
      for (const each of messageOf(proto, 'StringRules').field) delete each.options;
    };
    expect(unknownOf(older)).toEqual([]);
  });

  test('of a newer content is told with each type that the gateway does not know', () => {
    const newer = (proto: FileDescriptorProto) => {
      const [example] = messageOf(proto, 'StringRules').field;
      messageOf(proto, 'BytesRules').field.push({ ...example!, name: 'newer', number: 99 });
      messageOf(proto, 'Int32Rules').field[0]!.number = 98;
      proto.messageType.push({ ...messageOf(proto, 'BoolRules'), name: 'NewRules' });
      proto.enumType[0]!.value.push({ ...proto.enumType[0]!.value[0]!, name: 'IGNORE_MORE', number: 97 });
      proto.extension[0]!.number = 99_999;
    };
    expect([...unknownOf(newer)].sort()).toEqual(
      ['BytesRules', 'Ignore', 'Int32Rules', 'NewRules', own.extensions[0]!.name].map((each) => [
        `buf.validate.${each}`,
        name,
      ]),
    );
  });
});

test('comments at what is no declaration are left out: options, labels, imports, syntax', () => {
  const [service] = served('A', ['Checks']);
  const text = ' Said.\n';
  const none = [
    [],
    [2],
    [3, 0],
    [8, 1],
    [12],
    [4, 0, 7, 1],
    [4, 7],
    [6, 0, 2, 0, 4, 72295728],
    [6, 0, 2, 0, 2],
  ];
  const at = (paths: readonly number[][]) =>
    descriptorSet([service!], { 'A.proto': paths.map((path) => ({ path, text })) });
  expect(at(none).bytes).toEqual(descriptorSet([service!]).bytes);
  expect(at(none).files.map(({ commentBytes }) => commentBytes)).toEqual([0]);
  const some = [
    [6, 0],
    [6, 0, 2, 0],
    [4, 0],
  ];
  const { bytes } = at([...none, ...some]);
  expect(bytes).toEqual(at(some).bytes);
  expect(parseDescriptors(bytes)).toMatchObject({
    comments: { 'test.Checks': 'Said.', 'test.Checks.Call': 'Said.', 'test.AMessage': 'Said.' },
  });
});
