import type { DescMessage } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto, SourceCodeInfo_Location } from '@bufbuild/protobuf/wkt';
import type { CommentTexts } from '../openapi/comments.ts';

/** What the google.protobuf.SourceCodeInfo of files says of their declarations, by fully qualified name. */
export function commentsOf(files: Iterable<FileDescriptorProto>): CommentTexts {
  return Object.fromEntries(
    [...files].flatMap((file) =>
      (file.sourceCodeInfo?.location ?? []).flatMap((location) => {
        const name = nameAt(file, location.path);
        const text = textOf(location);
        return name === undefined || text === '' ? [] : [[name, text] as const];
      }),
    ),
  );
}

/** The fully qualified name of the declaration that a path leads to: of turns of a field's number and an index of its list. */
function nameAt(file: FileDescriptorProto, path: readonly number[]): string | undefined {
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

/** Paragraphs on a line each: how the lines of a source are broken means nothing. */
function textOf({ leadingComments, trailingComments }: SourceCodeInfo_Location): string {
  return (leadingComments || trailingComments)
    .split(/\n[ \t]*\n/)
    .map((paragraph) => paragraph.trim().replaceAll(/\s*\n\s*/g, ' '))
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}
