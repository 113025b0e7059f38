import { toBinary } from '@bufbuild/protobuf';
import type { DescEnum, DescExtension, DescFile, DescMessage } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** The files and everything they import, each once. */
export function withImports(files: Iterable<DescFile>, found = new Set<DescFile>()): ReadonlySet<DescFile> {
  for (const file of files) {
    if (found.has(file)) continue;
    found.add(file);
    withImports(file.dependencies, found);
  }
  return found;
}

/** Finds files by their declarations. */
export class DescriptorIndex {
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();
  readonly #messages = new Set<string>();
  /** By extended message and number. */
  readonly #extensions = new Map<string, Map<number, DescFile>>();

  constructor(files: Iterable<DescFile>) {
    for (const file of withImports(files)) this.#addFile(file);
  }

  /** By its path in imports. */
  file(path: string): DescFile | undefined {
    return this.#files.get(path);
  }

  /** By the fully qualified name of anything in it. */
  fileOf(symbol: string): DescFile | undefined {
    return this.#symbols.get(symbol);
  }

  fileOfExtension(extended: string, number: number): DescFile | undefined {
    return this.#extensions.get(extended)?.get(number);
  }

  /** In ascending order; undefined for an unknown message. */
  extensionNumbers(extended: string): readonly number[] | undefined {
    if (!this.#messages.has(extended)) return undefined;
    return [...(this.#extensions.get(extended)?.keys() ?? [])].sort((a, b) => a - b);
  }

  #addFile(file: DescFile): void {
    this.#files.set(file.proto.name, file);
    for (const service of file.services) {
      this.#symbols.set(service.typeName, file);
      for (const method of service.methods) this.#symbols.set(`${service.typeName}.${method.name}`, file);
    }
    for (const message of file.messages) this.#addMessage(message, file);
    for (const each of file.enums) this.#addEnum(each, file);
    for (const each of file.extensions) this.#addExtension(each, file);
  }

  #addMessage(message: DescMessage, file: DescFile): void {
    this.#messages.add(message.typeName);
    this.#symbols.set(message.typeName, file);
    for (const { name } of [...message.fields, ...message.oneofs]) {
      this.#symbols.set(`${message.typeName}.${name}`, file);
    }
    // Only descriptors treat the entries of maps as messages.
    for (const { name } of message.proto.nestedType) this.#symbols.set(`${message.typeName}.${name}`, file);
    for (const nested of message.nestedMessages) this.#addMessage(nested, file);
    for (const nested of message.nestedEnums) this.#addEnum(nested, file);
    for (const nested of message.nestedExtensions) this.#addExtension(nested, file);
  }

  #addEnum(each: DescEnum, file: DescFile): void {
    this.#symbols.set(each.typeName, file);
    // The names of values are in the scope that contains the enum, as in C++.
    const scope = each.typeName.slice(0, -each.name.length);
    for (const { name } of each.values) this.#symbols.set(scope + name, file);
  }

  #addExtension(each: DescExtension, file: DescFile): void {
    this.#symbols.set(each.typeName, file);
    const numbers = this.#extensions.get(each.extendee.typeName) ?? new Map<number, DescFile>();
    this.#extensions.set(each.extendee.typeName, numbers.set(each.number, file));
  }
}

/** A file as a serialized google.protobuf.FileDescriptorProto. */
export function bytesOf(file: DescFile): Uint8Array {
  return toBinary(FileDescriptorProtoSchema, file.proto);
}
