import type { DescMessage } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';

/**
 * The fully qualified name of the declaration that a path leads to, as in google.protobuf.SourceCodeInfo.Location: turns of a
 * field's number and an index of its list. Undefined for what is no declaration: an option, a label, an import.
 */
export function declarationName(file: FileDescriptorProto, path: readonly number[]): string | undefined {
  let holder: object = file;
  let schema: DescMessage = FileDescriptorProtoSchema;
  const names = file.package === '' ? [] : [file.package];
  if (path.length === 0 || path.length % 2 === 1) return undefined;
  for (let at = 0; at < path.length; at += 2) {
    const field = schema.fields.find(({ number }) => number === path[at]);
    if (field?.fieldKind !== 'list' || field.listKind !== 'message') return undefined;
    const list = (holder as Readonly<Record<string, readonly { readonly name?: string }[]>>)[field.localName];
    const held = list?.[path[at + 1] ?? -1];
    if (held?.name === undefined) return undefined;
    names.push(held.name);
    holder = held;
    schema = field.message;
  }
  return names.join('.');
}
