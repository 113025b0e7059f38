import { create, createFileRegistry, setExtension } from '@bufbuild/protobuf';
import type { DescService, MessageInitShape } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  ServiceDescriptorProtoSchema,
  file_google_protobuf_empty,
} from '@bufbuild/protobuf/wkt';
import { http } from '../../gen/google/api/annotations_pb.js';
import { HttpRuleSchema } from '../../gen/google/api/http_pb.js';

/** A google.api.http option. */
export type Rule = MessageInitShape<typeof HttpRuleSchema>;

/**
 * A service `test.Library` whose methods have the given google.api.http options, or none.
 * @param streaming - which of them stream both ways
 */
export function libraryOf(
  methods: Readonly<Record<string, Rule | undefined>>,
  streaming: readonly string[] = [],
): DescService {
  const proto = create(FileDescriptorProtoSchema, {
    name: 'test/library.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: [file_google_protobuf_empty.proto.name],
    service: [
      create(ServiceDescriptorProtoSchema, {
        name: 'Library',
        method: Object.entries(methods).map(([name, rule]) => {
          const options = create(MethodOptionsSchema);
          if (rule !== undefined) setExtension(options, http, create(HttpRuleSchema, rule));
          const empty = '.google.protobuf.Empty';
          const streams = streaming.includes(name);
          return create(MethodDescriptorProtoSchema, {
            name,
            inputType: empty,
            outputType: empty,
            clientStreaming: streams,
            serverStreaming: streams,
            options,
          });
        }),
      }),
    ],
  });
  const registry = createFileRegistry(proto, (name) =>
    name === file_google_protobuf_empty.proto.name ? file_google_protobuf_empty : undefined,
  );
  const service = registry.getService('test.Library');
  if (service === undefined) throw new Error('test.Library is missing');
  return service;
}
