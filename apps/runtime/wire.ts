import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMethod, Message, MessageInitShape } from '@bufbuild/protobuf';

/** Fields that a message's proto does not have are not kept: as objects they take many times their bytes, and nobody asks for them. */
const known = { readUnknownFields: false };

/** The path and serializers that grpc-js needs for a method, from its descriptor. */
export function codecOf(method: DescMethod) {
  const { input, output } = method;
  return {
    /** `/package.Service/Method` */
    path: `/${method.parent.typeName}/${method.name}`,
    encodeRequest: (init: MessageInitShape<typeof input>) => toBuffer(toBinary(input, create(input, init))),
    decodeRequest: (bytes: Uint8Array): Message => fromBinary(input, bytes, known),
    encodeAnswer: (answer: Message) => toBuffer(toBinary(output, answer)),
    decodeAnswer: (bytes: Uint8Array): Message => fromBinary(output, bytes, known),
  };
}

/** The same bytes, not a copy. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
