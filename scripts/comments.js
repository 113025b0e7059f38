// Writes gen/comments.js: the comments of proto/ by what they stand at, for the gateway's OpenAPI document. The
// descriptors in gen/ have none, and buf's own image of all sources is forty times as large.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** Imported or fixed by gRPC: not ours to tell about. */
const foreign = /^(?:google|buf|grpc)\//;

/** How the parts of a file, of a message, of an enum and of a service are numbered in descriptor.proto. */
const parts = {
  file: { 4: ['messageType', 'message'], 5: ['enumType', 'enum'], 6: ['service', 'service'] },
  message: {
    2: ['field', 'leaf'],
    3: ['nestedType', 'message'],
    4: ['enumType', 'enum'],
    8: ['oneofDecl', 'leaf'],
  },
  enum: { 2: ['value', 'leaf'] },
  service: { 2: ['method', 'leaf'] },
  leaf: {},
};

/** The fully qualified name of what a path of google.protobuf.SourceCodeInfo leads to; undefined for other things. */
function nameOf(file, path) {
  let kind = 'file';
  let holder = file;
  const names = file.package === '' ? [] : [file.package];
  for (let at = 0; at < path.length; at += 2) {
    const [list, next] = parts[kind][path[at]] ?? [];
    holder = list === undefined ? undefined : holder[list][path[at + 1]];
    if (holder === undefined) return undefined;
    kind = next;
    names.push(holder.name);
  }
  return kind === 'file' ? undefined : names.join('.');
}

/** Paragraphs on a line each: how the lines of a source are broken means nothing. */
function textOf({ leadingComments, trailingComments }) {
  return (leadingComments || trailingComments)
    .split(/\n[ \t]*\n/)
    .map((paragraph) => paragraph.trim().replaceAll(/\s*\n\s*/g, ' '))
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}

/** The comments of files, by fully qualified name. */
export function commentsOf(files) {
  return Object.fromEntries(
    files
      .filter(({ name }) => !foreign.test(name))
      .flatMap((file) =>
        (file.sourceCodeInfo?.location ?? []).map((location) => [
          nameOf(file, location.path),
          textOf(location),
        ]),
      )
      .filter(([name, text]) => name !== undefined && text !== '')
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , root = '.'] = process.argv;
  const image = execFileSync(
    join(root, 'node_modules', '.bin', 'buf'),
    ['build', 'proto', '--as-file-descriptor-set', '-o', '-'],
    { cwd: root, maxBuffer: 64 * 2 ** 20 },
  );
  const comments = commentsOf(fromBinary(FileDescriptorSetSchema, image).file);
  writeFileSync(
    join(root, 'gen', 'comments.js'),
    `// Made by scripts/comments.js.\nexport const comments = ${JSON.stringify(comments, null, 2)};\n`,
  );
  writeFileSync(
    join(root, 'gen', 'comments.d.ts'),
    '/** The comments of proto/, by the fully qualified name of what they stand at. */\n' +
      'export declare const comments: Readonly<Record<string, string | undefined>>;\n',
  );
}
