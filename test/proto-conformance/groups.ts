import { FeatureSet_MessageEncoding, FieldDescriptorProto_Type } from '@bufbuild/protobuf/wkt';
import type { DescriptorProto, FieldDescriptorProto, FileDescriptorSet } from '@bufbuild/protobuf/wkt';

/** The files without fields in delimited encoding (groups): a message that has one is not served at all. */
export function withoutGroups(files: FileDescriptorSet): FileDescriptorSet {
  for (const file of files.file) {
    for (const message of file.messageType) strip(message);
    file.extension = file.extension.filter(isPrefixed);
    if (file.options?.features !== undefined) {
      file.options.features.messageEncoding = FeatureSet_MessageEncoding.LENGTH_PREFIXED;
    }
  }
  return files;
}

function strip(message: DescriptorProto): void {
  message.field = message.field.filter(isPrefixed);
  message.extension = message.extension.filter(isPrefixed);
  for (const nested of message.nestedType) strip(nested);
}

function isPrefixed({ type, options }: FieldDescriptorProto): boolean {
  return (
    type !== FieldDescriptorProto_Type.GROUP &&
    options?.features?.messageEncoding !== FeatureSet_MessageEncoding.DELIMITED
  );
}
