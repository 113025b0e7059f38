import { create, setExtension, toBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { http } from '../../../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../../../gen/google/api/http_pb.js';

/** A set of descriptors that is filled with services nobody calls. */
export interface LargeSet {
  /** A serialized google.protobuf.FileDescriptorSet. */
  readonly bytes: Uint8Array;
  /** Fully qualified names of the services that were added. */
  readonly added: readonly string[];
  readonly methods: number;
}

const methodsOfService = 10;
const fieldsOfMessage = 6;

/**
 * Adds services to a set as long as it stays within a number of bytes. They are what costs a gateway most for each byte: all
 * methods are served over HTTP with messages of their own, and there are no comments.
 */
export function filledTo(bytes: number, set: Uint8Array): LargeSet {
  const files: Uint8Array[] = [set];
  const added: string[] = [];
  let length = set.length;
  for (;;) {
    const file = fileOf(added.length);
    const next = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [file] }));
    if (length + next.length > bytes)
      return { bytes: Buffer.concat(files), added, methods: added.length * methodsOfService };
    // Sets one after the other are one set: https://protobuf.dev/programming-guides/encoding/#last-one-wins
    files.push(next);
    length += next.length;
    added.push(`${file.package}.${file.service[0]?.name ?? ''}`);
  }
}

function fileOf(index: number): FileDescriptorProto {
  const name = `filler${index}`;
  const resources = Array.from({ length: methodsOfService }, (_, at) => `Resource${at}`);
  return create(FileDescriptorProtoSchema, {
    name: `filler/${name}/v1/${name}.proto`,
    package: `filler.${name}.v1`,
    dependency: ['google/api/annotations.proto'],
    syntax: 'proto3',
    messageType: resources.flatMap((resource) => [
      { name: `Update${resource}Request`, field: [idField, ...fields(`.filler.${name}.v1.${resource}`)] },
      { name: resource, field: [idField, ...fields(`.filler.${name}.v1.${resource}`)] },
    ]),
    service: [
      {
        name: `Filler${index}Service`,
        method: resources.map((resource) => {
          const options = create(MethodOptionsSchema);
          const put = `/v1/${name}/${resource.toLowerCase()}s/{id}`;
          setExtension(
            options,
            http,
            create(HttpRuleSchema, { pattern: { case: 'put', value: put }, body: '*' }),
          );
          return {
            name: `Update${resource}`,
            inputType: `.filler.${name}.v1.Update${resource}Request`,
            outputType: `.filler.${name}.v1.${resource}`,
            options,
          };
        }),
      },
    ],
  });
}

const idField = { name: 'id', number: 1, type: Type.STRING, label: Label.OPTIONAL };

/** Of every shape that a gateway reads and writes: texts, numbers, lists and messages. */
function fields(message: string) {
  return Array.from({ length: fieldsOfMessage }, (_, at) => ({
    name: `field_${at}`,
    number: at + 2,
    ...[
      { type: Type.STRING, label: Label.OPTIONAL },
      { type: Type.INT64, label: Label.OPTIONAL },
      { type: Type.STRING, label: Label.REPEATED },
      { type: Type.MESSAGE, label: Label.OPTIONAL, typeName: message },
      { type: Type.BOOL, label: Label.OPTIONAL },
      { type: Type.MESSAGE, label: Label.REPEATED, typeName: message },
    ][at % 6],
  }));
}
