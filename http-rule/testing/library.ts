import { create, createFileRegistry, fromJsonString, setExtension } from '@bufbuild/protobuf';
import type { DescService, FileRegistry, JsonObject, JsonValue, MessageInitShape } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  ServiceDescriptorProtoSchema,
  file_google_protobuf_duration,
  file_google_protobuf_field_mask,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
import { http } from '../../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../../gen/google/api/http_pb.js';

/** A google.api.http option. */
export type Rule = MessageInitShape<typeof HttpRuleSchema>;

/** A rule with these additional bindings. */
export function withBindings(rule: Rule, additionalBindings: readonly Rule[]): Rule {
  return { ...rule, additionalBindings } as Rule;
}

const imports = [
  file_google_protobuf_duration,
  file_google_protobuf_field_mask,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
];

/** A field as JSON of google.protobuf.FieldDescriptorProto. */
export const field = (
  number: number,
  name: string,
  type: string,
  more: Record<string, JsonValue> = {},
): JsonObject => {
  const typeName = type.startsWith('.') ? { typeName: type } : {};
  const kind = type.startsWith('.') ? (type.endsWith('Kind') ? 'ENUM' : 'MESSAGE') : type.toUpperCase();
  // protoc fills this in.
  const jsonName = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return { name, jsonName, number, type: `TYPE_${kind}`, label: 'LABEL_OPTIONAL', ...typeName, ...more };
};
const repeated = { label: 'LABEL_REPEATED' };

const file = {
  name: 'test/library.proto',
  package: 'test',
  syntax: 'proto3',
  dependency: imports.map((each) => each.proto.name),
  enumType: [
    {
      name: 'Kind',
      value: [
        { name: 'KIND_UNSPECIFIED', number: 0 },
        { name: 'KIND_NOVEL', number: 1 },
      ],
    },
  ],
  messageType: [
    {
      name: 'Request',
      field: ['id', 'name', 'parent', 'path', 'rest'].map((each, index) => field(index + 1, each, 'string')),
    },
    { name: 'Author', field: [field(1, 'id', 'string'), field(2, 'display_name', 'string')] },
    {
      name: 'Book',
      field: [
        field(1, 'name', 'string'),
        field(2, 'main_author', '.test.Author'),
        field(3, 'page_count', 'int32'),
        field(4, 'copies', 'int64'),
        field(5, 'weight', 'double'),
        field(6, 'kind', '.test.Kind'),
        field(7, 'tags', 'string', repeated),
        field(8, 'publish_time', '.google.protobuf.Timestamp'),
        field(9, 'loan', '.google.protobuf.Duration'),
        field(10, 'mask', '.google.protobuf.FieldMask'),
        field(11, 'in_print', '.google.protobuf.BoolValue'),
        field(12, 'rare', 'bool'),
        field(13, 'cover', 'bytes'),
        field(14, 'authors', '.test.Author', repeated),
        field(15, 'scores', 'uint32', repeated),
        field(16, 'shelf', 'string', { oneofIndex: 0 }),
        field(17, 'box', 'string', { oneofIndex: 0 }),
        field(18, 'extra', '.test.Book.ExtraEntry', repeated),
        field(19, 'second_author', '.test.Author'),
      ],
      oneofDecl: [{ name: 'place' }],
      nestedType: [
        {
          name: 'ExtraEntry',
          field: [field(1, 'key', 'string'), field(2, 'value', 'string')],
          options: { mapEntry: true },
        },
      ],
    },
  ],
};

/** What is not usual of a library. */
export interface LibraryOptions {
  /** Methods that stream both ways. @default - none */
  readonly streaming?: readonly string[];
  /** The message that all methods take and return: one of test/library.proto. @default Book */
  readonly message?: string;
  /** Messages beside those of test/library.proto, as JSON of google.protobuf.DescriptorProto. @default - none */
  readonly messages?: readonly JsonObject[];
  /** @default Library */
  readonly name?: string;
  /** Package of all of it. @default test */
  readonly pkg?: string;
}

/**
 * A service `test.Library` whose methods take and return a `test.Book`, each with the given google.api.http option, or
 * none: what the shop's own protos have no need of, made without a compiler.
 */
export function library(
  rules: Readonly<Record<string, Rule | undefined>>,
  { streaming = [], message = 'Book', messages = [], name = 'Library', pkg = 'test' }: LibraryOptions = {},
): {
  service: DescService;
  registry: FileRegistry;
} {
  const messageType = [...file.messageType, ...messages];
  const json = JSON.stringify({ ...file, name: `${pkg}/library.proto`, package: pkg, messageType });
  const proto = fromJsonString(FileDescriptorProtoSchema, json.replaceAll('".test.', `".${pkg}.`));
  const method = Object.entries(rules).map(([each, rule]) => {
    const options = create(MethodOptionsSchema);
    if (rule !== undefined) setExtension(options, http, create(HttpRuleSchema, rule));
    const streams = streaming.includes(each);
    return create(MethodDescriptorProtoSchema, {
      name: each,
      inputType: `.${pkg}.${message}`,
      outputType: `.${pkg}.${message}`,
      clientStreaming: streams,
      serverStreaming: streams,
      options,
    });
  });
  const whole = { ...proto, service: [create(ServiceDescriptorProtoSchema, { name, method })] };
  const registry = createFileRegistry(
    whole,
    (path) => imports.find((each) => each.proto.name === path)?.proto,
  );
  const service = registry.getService(`${pkg}.${name}`);
  if (service === undefined) throw new Error(`no ${pkg}.${name}`);
  return { service, registry };
}
