import { readFileSync } from 'node:fs';
import type { status } from '@grpc/grpc-js';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import type { DescMessage, DescService, FileRegistry, Message } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** The runner's own protos, as a file of descriptors that buf made of its Go module. */
export const registry: FileRegistry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(process.env['CONFORMANCE_DESCRIPTORS'] ?? '')),
);

const name = (short: string) => `connectrpc.conformance.v1.${short}`;

export function messageOf(short: string): DescMessage {
  const found = registry.getMessage(name(short));
  if (found === undefined) throw new Error(`${name(short)}: no such message`);
  return found;
}

export function conformanceService(): DescService {
  const found = registry.getService(name('ConformanceService'));
  if (found === undefined) throw new Error('no ConformanceService');
  return found;
}

export interface Header {
  readonly name: string;
  readonly value: readonly string[];
}

export interface Any {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export interface ErrorShape {
  readonly code: status;
  readonly message?: string;
  readonly details: readonly Any[];
}

/** A message by the fields that a program reads. */
export type Fields<T> = Message & T;
