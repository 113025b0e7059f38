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
import { declarationName } from './declaration-name.ts';
import { knownFiles } from './known-files.ts';
import { knownTypes, unknownTypes } from './known-types.ts';

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
  /**
   * What no program can have two of, `shop.Money`, each with the files that have it: of one name, if it is the file itself. The
   * first may be one that every gateway has.
   */
  readonly clashes: readonly (readonly [name: string, file: string, rival: string])[];
  /** What files of the names of {@link knownFiles} declare, and those that every gateway has do not ({@link unknownTypes}). */
  readonly unknown: readonly (readonly [name: string, file: string])[];
}

/**
 * The files that services need: those that they are in and what these import, directly or not, without what every gateway has
 * ({@link knownFiles}) and without the other services. All messages stay, as any of them may be in a google.protobuf.Any. The
 * same services and comments give the same bytes, in whatever order the services come. Comments are those of declarations: a
 * gateway has no use for those at options.
 */
export function descriptorSet(services: Iterable<DescService>, comments: ProtoComments = {}): DescriptorSet {
  const wanted = [...new Set(services)];
  // By the name of the file: each service may come from a copy of its own of the code generated for the file.
  const byFile = new Map<string, Set<string>>();
  for (const { file, name } of wanted) {
    const names = byFile.get(file.proto.name) ?? new Set();
    byFile.set(file.proto.name, names.add(name));
  }
  const chosen = new Map<string, DescFile>();
  const visited = new Set<DescFile>();
  const owners = new Map(knownTypes);
  const clashes = new Map<string, readonly [string, string, string]>();
  const unknown = new Map<string, readonly [string, string]>();
  const clash = (...found: readonly [string, string, string]) => clashes.set(found.join(), found);
  const visit = (file: DescFile) => {
    const { name } = file.proto;
    if (visited.has(file)) return;
    visited.add(file);
    if (knownFiles.has(name)) {
      for (const type of unknownTypes(file)) unknown.set(type, [type, name]);
      return;
    }
    for (const imported of sorted(file.dependencies)) visit(imported);
    const rival = chosen.get(name);
    if (rival !== undefined) {
      if (hashOf(rival) !== hashOf(file)) clash(name, name, name);
      return;
    }
    chosen.set(name, file);
    for (const type of nestedTypes(file)) {
      // What is left out of the set is nobody's rival.
      if (type.kind === 'service' && byFile.get(name)?.has(type.name) !== true) continue;
      const owner = owners.get(type.typeName);
      if (owner === undefined) owners.set(type.typeName, name);
      else clash(type.typeName, owner, name);
    }
  };
  for (const file of sorted(new Set(wanted.map(({ file }) => file)))) visit(file);
  const files = [...chosen].map(([name, file]) => setFile(file, [...(byFile.get(name) ?? [])], comments));
  return {
    services: [...new Set(wanted.map(({ typeName }) => typeName))].sort(),
    files,
    bytes: Buffer.concat(files.flatMap(({ bytes }) => [headOf(bytes), bytes])),
    clashes: [...clashes.values()],
    unknown: [...unknown.values()],
  };
}

function sorted(files: Iterable<DescFile>): readonly DescFile[] {
  const order = ({ proto: { name: a } }: DescFile, { proto: { name: b } }: DescFile) =>
    a < b ? -1 : a > b ? 1 : 0;
  return [...files].sort(order);
}

const hashes = new WeakMap<DescFile, string>();

/** Of all that a file declares, services that nobody wants too, without its comments. */
function hashOf(file: DescFile): string {
  const found = hashes.get(file) ?? sha256(toBinary(FileDescriptorProtoSchema, withoutComments(file)));
  hashes.set(file, found);
  return found;
}

function withoutComments(file: DescFile): FileDescriptorProto {
  const proto = clone(FileDescriptorProtoSchema, file.proto);
  delete proto.sourceCodeInfo;
  return proto;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
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

/** @param services - names of those that are kept, as the file has them */
function setFile(file: DescFile, services: readonly string[], comments: ProtoComments): SetFile {
  const said = Object.hasOwn(comments, file.proto.name) ? comments[file.proto.name] : undefined;
  const names = services.toSorted();
  const known = cache.get(file) ?? new Map<string, Cached>();
  cache.set(file, known);
  const found = known.get(names.join());
  if (found !== undefined && found.comments === said) return found.made;
  const proto = withoutComments(file);
  const kept = file.proto.service.flatMap(({ name }, index) => (names.includes(name) ? [index] : []));
  proto.service = kept.flatMap((index) => proto.service[index] ?? []);
  const plain = toBinary(FileDescriptorProtoSchema, proto);
  const atDeclarations = said?.filter(({ path }) => declarationName(file.proto, path) !== undefined);
  const bytes = withComments(proto, kept, atDeclarations) ?? plain;
  const made = {
    name: proto.name,
    bytes,
    hash: sha256(bytes),
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
