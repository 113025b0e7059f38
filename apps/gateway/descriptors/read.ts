import { readFileSync } from 'node:fs';
import { create, createFileRegistry, createRegistry, fromBinary } from '@bufbuild/protobuf';
import type { DescFile, DescService, Registry } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { knownFiles } from '../../config/descriptors/known-files.ts';
import { knownTypes } from '../../config/descriptors/known-types.ts';
import type { CommentTexts } from '../openapi/comments.ts';
import { commentsOf } from './source-comments.ts';

/** What a set of descriptors says. */
export interface Descriptors {
  /** Its services, by fully qualified name. */
  readonly services: ReadonlyMap<string, DescService>;
  /** Its types. */
  readonly registry: Registry;
  /** Its comments, by fully qualified name. */
  readonly comments: CommentTexts;
}

/** A set, or a line for each thing that is wrong with it. */
export type ReadDescriptors = Descriptors | { readonly problems: readonly string[] };

/** Reads the file of a serialized google.protobuf.FileDescriptorSet. */
export function readDescriptors(path: string): ReadDescriptors {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return { problems: [`${JSON.stringify(path)}: cannot be read: ${messageOf(error)}`] };
  }
  const read = parseDescriptors(bytes);
  if (!('problems' in read)) return read;
  return { problems: read.problems.map((problem) => `${JSON.stringify(path)}: ${problem}`) };
}

/** Reads a serialized google.protobuf.FileDescriptorSet. Its files may be in any order, and import {@link knownFiles} without having them. */
export function parseDescriptors(bytes: Uint8Array): ReadDescriptors {
  let protos: readonly FileDescriptorProto[];
  try {
    protos = fromBinary(FileDescriptorSetSchema, bytes).file;
  } catch (error) {
    return { problems: [`is not a google.protobuf.FileDescriptorSet: ${messageOf(error)}`] };
  }
  if (protos.length === 0) return { problems: ['has no files; allowed a google.protobuf.FileDescriptorSet'] };
  const problems: string[] = [];
  const ordered = inOrder(protos, problems);
  const files = descriptorsOf(ordered, problems);
  problems.push(...sharedTypes(files));
  if (problems.length > 0) return { problems };
  return {
    services: new Map(
      files.flatMap((file) => file.services).map((service) => [service.typeName, service] as const),
    ),
    registry: createRegistry(...files),
    comments: commentsOf(ordered),
  };
}

/** Files without those that the gateway has, each after what it imports; those that cannot be used are left out, and told. */
function inOrder(protos: readonly FileDescriptorProto[], problems: string[]): readonly FileDescriptorProto[] {
  const byName = new Map<string, FileDescriptorProto>();
  for (const proto of protos) {
    const { name } = proto;
    if (name === '') problems.push('has a file without a name');
    else if (byName.has(name)) problems.push(`has two files ${JSON.stringify(name)}`);
    else if (!knownFiles.has(name)) byName.set(name, proto);
  }
  const ordered: FileDescriptorProto[] = [];
  /** Whether a file can be used; undefined while it is looked at. */
  const usable = new Map<string, boolean | undefined>();
  const isUsable = (name: string, importers: readonly string[]): boolean => {
    if (knownFiles.has(name)) return true;
    const proto = byName.get(name);
    if (proto === undefined) {
      const importer = JSON.stringify(importers.at(-1));
      problems.push(
        `${importer} imports ${JSON.stringify(name)}, which is neither in the set nor one of the gateway's own files`,
      );
      return false;
    }
    if (importers.includes(name)) {
      const circle = [...importers.slice(importers.indexOf(name)), name];
      problems.push(`imports go in a circle: ${circle.map((each) => JSON.stringify(each)).join(', ')}`);
      return false;
    }
    const found = usable.get(name);
    if (found !== undefined) return found;
    // All of its imports are looked at, also when one cannot be used.
    const imports = proto.dependency.map((imported) => isUsable(imported, [...importers, name]));
    const all = !imports.includes(false);
    usable.set(name, all);
    if (all) ordered.push(proto);
    return all;
  };
  for (const name of byName.keys()) isUsable(name, []);
  return ordered;
}

/** @param protos - each after what it imports */
function descriptorsOf(protos: readonly FileDescriptorProto[], problems: string[]): readonly DescFile[] {
  try {
    return build(protos);
  } catch {
    // Which one it is, the library does not say.
    const wrong = protos.find((proto, index) => {
      try {
        build(protos.slice(0, index + 1));
        return false;
      } catch (error) {
        problems.push(`${JSON.stringify(proto.name)}: ${messageOf(error)}`);
        return true;
      }
    });
    const without = new Set([wrong?.name]);
    for (const { name, dependency } of protos)
      if (dependency.some((imported) => without.has(imported))) without.add(name);
    return descriptorsOf(
      protos.filter(({ name }) => !without.has(name)),
      problems,
    );
  }
}

/** @throws Error when one is not valid */
function build(protos: readonly FileDescriptorProto[]): readonly DescFile[] {
  const byName = new Map(protos.map((proto) => [proto.name, proto]));
  // Imports all of them, the last first, as the library makes the last of what a file imports first.
  const all = create(FileDescriptorProtoSchema, { dependency: [...byName.keys()].reverse() });
  const registry = createFileRegistry(all, (name) => knownFiles.get(name) ?? byName.get(name));
  return protos.flatMap(({ name }) => registry.getFile(name) ?? []);
}

/** What two files declare, or one and one of the gateway's own. */
function sharedTypes(files: readonly DescFile[]): readonly string[] {
  const owners = new Map(knownTypes);
  return files.flatMap((file) =>
    [...nestedTypes(file)].flatMap(({ typeName }) => {
      const owner = owners.get(typeName);
      owners.set(typeName, owner ?? file.proto.name);
      if (owner === undefined) return [];
      return [`${JSON.stringify(file.proto.name)}: ${typeName} is also in ${JSON.stringify(owner)}`];
    }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
