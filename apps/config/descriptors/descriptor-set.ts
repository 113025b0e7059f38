import { createHash } from 'node:crypto';
import { clone, create, toBinary } from '@bufbuild/protobuf';
import type { DescFile, DescService } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  SourceCodeInfoSchema,
} from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { knownFiles } from './known-files.ts';

/**
 * Comments of protos, by the path of their file in imports, as gen/comments.js has them; `path` leads to what a comment stands
 * at, as in google.protobuf.SourceCodeInfo.Location.
 */
export type ProtoComments = Readonly<
  Record<string, readonly { readonly path: readonly number[]; readonly text: string }[]>
>;

/** A file of a set. */
export interface SetFile {
  /** Its path in imports: `shop/catalog/v1/catalog.proto`. */
  readonly name: string;
  /** A google.protobuf.FileDescriptorProto. */
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, in hex. */
  readonly hash: string;
  /** How many of the bytes are comments. */
  readonly commentBytes: number;
}

/** Descriptors of some services. */
export interface DescriptorSet {
  /** Fully qualified names, sorted. */
  readonly services: readonly string[];
  /** What they need, each after what it imports. */
  readonly files: readonly SetFile[];
  /** A serialized google.protobuf.FileDescriptorSet. */
  readonly bytes: Uint8Array;
  /** What no program can have two of, `shop.Money`, each with the files that have it: of one name, if it is the file itself. */
  readonly clashes: readonly (readonly [name: string, file: string, rival: string])[];
}

/**
 * The files that services need: those that they are in and what these import, directly or not, without what every gateway has
 * ({@link knownFiles}) and without the other services. All messages stay, as any of them may be in a google.protobuf.Any. The
 * same services and comments give the same bytes, in whatever order the services come.
 */
export function descriptorSet(services: Iterable<DescService>, comments: ProtoComments = {}): DescriptorSet {
  const wanted = [...new Map([...services].map((service) => [service.typeName, service])).values()];
  const byFile = new Map<DescFile, DescService[]>();
  for (const service of wanted) {
    const others = byFile.get(service.file);
    if (others === undefined) byFile.set(service.file, [service]);
    else others.push(service);
  }
  const files = new Map<string, SetFile>();
  const visited = new Set<DescFile>();
  const owners = new Map<string, string>();
  const clashes: (readonly [string, string, string])[] = [];
  const visit = (file: DescFile) => {
    const { name } = file.proto;
    if (visited.has(file) || knownFiles.has(name)) return;
    visited.add(file);
    for (const imported of sorted(file.dependencies)) visit(imported);
    const made = setFile(file, byFile.get(file) ?? [], comments);
    const rival = files.get(name);
    if (rival !== undefined) {
      if (rival.hash !== made.hash) clashes.push([name, name, name]);
      return;
    }
    files.set(name, made);
    for (const { typeName } of nestedTypes(file)) {
      const owner = owners.get(typeName);
      if (owner === undefined) owners.set(typeName, name);
      else clashes.push([typeName, owner, name]);
    }
  };
  for (const file of sorted(byFile.keys())) visit(file);
  return {
    services: wanted.map(({ typeName }) => typeName).sort(),
    files: [...files.values()],
    bytes: Buffer.concat([...files.values()].flatMap(({ bytes }) => [headOf(bytes), bytes])),
    clashes,
  };
}

function sorted(files: Iterable<DescFile>): readonly DescFile[] {
  return [...files].sort((a, b) => (a.proto.name < b.proto.name ? -1 : 1));
}

/** Before a file in a set: the field's tag and the length, which an empty file ends with. */
function headOf({ length }: Uint8Array): Uint8Array {
  const bytes = [(FileDescriptorSetSchema.field.file.number << 3) | 2];
  let rest = length;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.of(...bytes, rest);
}

interface Cached {
  readonly comments: ProtoComments[string] | undefined;
  readonly made: SetFile;
}

/** By file, then by the services that are kept: a mesh serves the same ones at many gateways. */
const cache = new WeakMap<DescFile, Map<string, Cached>>();

function setFile(file: DescFile, services: readonly DescService[], comments: ProtoComments): SetFile {
  const said = Object.hasOwn(comments, file.proto.name) ? comments[file.proto.name] : undefined;
  const names = services.map(({ name }) => name).sort();
  const known = cache.get(file) ?? new Map<string, Cached>();
  cache.set(file, known);
  const found = known.get(names.join());
  if (found !== undefined && found.comments === said) return found.made;
  const proto = clone(FileDescriptorProtoSchema, file.proto);
  delete proto.sourceCodeInfo;
  const kept = file.proto.service.flatMap(({ name }, index) => (names.includes(name) ? [index] : []));
  proto.service = kept.flatMap((index) => proto.service[index] ?? []);
  const plain = toBinary(FileDescriptorProtoSchema, proto);
  const bytes = withComments(proto, kept, said) ?? plain;
  const made = {
    name: proto.name,
    bytes,
    hash: createHash('sha256').update(bytes).digest('hex'),
    commentBytes: bytes.length - plain.length,
  };
  known.set(names.join(), { comments: said, made });
  return made;
}

/** @param kept - which of the file's services are left, by their former place */
function withComments(
  proto: FileDescriptorProto,
  kept: readonly number[],
  comments: ProtoComments[string] = [],
): Uint8Array | undefined {
  const services = FileDescriptorProtoSchema.field.service.number;
  const location = comments.flatMap(({ path, text }) => {
    const [kind, index = 0, ...rest] = path;
    if (kind !== services) return [{ path: [...path], leadingComments: text }];
    const now = kept.indexOf(index);
    return now < 0 ? [] : [{ path: [kind, now, ...rest], leadingComments: text }];
  });
  if (location.length === 0) return undefined;
  proto.sourceCodeInfo = create(SourceCodeInfoSchema, { location });
  return toBinary(FileDescriptorProtoSchema, proto);
}
