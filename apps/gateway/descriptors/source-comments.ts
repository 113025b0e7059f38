import type { FileDescriptorProto, SourceCodeInfo_Location } from '@bufbuild/protobuf/wkt';
import { declarationName } from '../../config/descriptors/declaration-name.ts';
import type { CommentTexts } from '../openapi/comments.ts';

/** What the google.protobuf.SourceCodeInfo of files says of their declarations, by fully qualified name. */
export function commentsOf(files: Iterable<FileDescriptorProto>): CommentTexts {
  return Object.fromEntries(
    [...files].flatMap((file) =>
      (file.sourceCodeInfo?.location ?? []).flatMap((location) => {
        const name = declarationName(file, location.path);
        const text = textOf(location);
        return name === undefined || text === '' ? [] : [[name, text] as const];
      }),
    ),
  );
}

/** Paragraphs on a line each: how the lines of a source are broken means nothing. */
function textOf({ leadingComments, trailingComments }: SourceCodeInfo_Location): string {
  return (leadingComments || trailingComments)
    .split(/\n[ \t]*\n/)
    .map((paragraph) => paragraph.trim().replaceAll(/\s*\n\s*/g, ' '))
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}
