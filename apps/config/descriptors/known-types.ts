import type { DescFile } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import type { FieldDescriptorProto } from '@bufbuild/protobuf/wkt';
import { knownFiles } from './known-files.ts';

type Type = ReturnType<typeof nestedTypes> extends Iterable<infer T> ? T : never;

/** What {@link knownFiles} declare, by fully qualified name, each with the file that it is in. */
export const knownTypes: ReadonlyMap<string, string> = new Map(
  [...knownFiles].flatMap(([name, file]) =>
    [...nestedTypes(file)].map(({ typeName }) => [typeName, name] as const),
  ),
);

/**
 * What a file of the name of one of {@link knownFiles} declares and that one does not: a gateway, which has that one, would not
 * know it. Fully qualified names of types, those too that have a field, a value or a method more, or of another type or number.
 * Options and comments do not count, and none is told of an older file of which the gateway's has all.
 */
export function unknownTypes(file: DescFile): readonly string[] {
  const own = knownFiles.get(file.proto.name);
  if (own === undefined || own === file) return [];
  const parts = new Map([...nestedTypes(own)].map((type) => [type.typeName, new Set(partsOf(type))]));
  return [...nestedTypes(file)].flatMap((type) => {
    const known = parts.get(type.typeName);
    return known !== undefined && partsOf(type).every((part) => known.has(part)) ? [] : [type.typeName];
  });
}

/** All that a type is made of, each part as a text. */
function partsOf(type: Type): readonly string[] {
  const shapes = (): readonly unknown[] => {
    switch (type.kind) {
      case 'message':
        return type.proto.field.map(shapeOf);
      case 'enum':
        return type.proto.value.map(({ name, number }) => [name, number]);
      case 'service':
        return type.proto.method.map(({ name, inputType, outputType, clientStreaming, serverStreaming }) => [
          ...[name, inputType, outputType],
          ...[clientStreaming, serverStreaming],
        ]);
      case 'extension':
        return [[type.proto.extendee, ...shapeOf(type.proto)]];
    }
  };
  return [type.kind, ...shapes()].map((part) => JSON.stringify(part));
}

function shapeOf({ name, number, type, label, typeName }: FieldDescriptorProto): readonly unknown[] {
  return [name, number, type, label, typeName];
}
