// Writes gen/comments.js: the comments of proto/ by file and place, for the descriptors of the HTTP gateways, which describe
// themselves with them. The descriptors in gen/ have none, and buf's own image of all sources is forty times as large.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** Imported or fixed by gRPC: not ours to tell about. */
const foreign = /^(?:google|buf|grpc)\//;

/** Messages, enums and services of a file, as descriptor.proto numbers them: not its syntax, package, imports and options. */
const declarations = [4, 5, 6];

/** The comments of files: by the file's name, at which google.protobuf.SourceCodeInfo.Location.path they stand. */
export function commentsOf(files) {
  return Object.fromEntries(
    files
      .filter(({ name }) => !foreign.test(name))
      .map((file) => [
        file.name,
        (file.sourceCodeInfo?.location ?? [])
          .filter(({ path }) => declarations.includes(path[0]))
          .map(({ path, leadingComments, trailingComments }) => ({
            path,
            text: leadingComments || trailingComments,
          }))
          .filter(({ text }) => text !== ''),
      ])
      .filter(([, comments]) => comments.length > 0)
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
  const lines = Object.entries(comments).map(([file, texts]) => {
    const entries = texts.map((comment) => `    ${JSON.stringify(comment)},\n`).join('');
    return `  ${JSON.stringify(file)}: [\n${entries}  ],\n`;
  });
  writeFileSync(
    join(root, 'gen', 'comments.js'),
    `// Made by scripts/comments.js.\nexport const comments = {\n${lines.join('')}};\n`,
  );
  writeFileSync(
    join(root, 'gen', 'comments.d.ts'),
    '/** The comments of proto/, by file; `path` as in google.protobuf.SourceCodeInfo.Location. */\n' +
      'export declare const comments: Readonly<\n' +
      '  Record<string, readonly { readonly path: readonly number[]; readonly text: string }[]>\n' +
      '>;\n',
  );
}
