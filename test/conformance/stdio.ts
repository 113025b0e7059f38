import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, Message } from '@bufbuild/protobuf';

/** Messages on standard input, each behind its length in 4 bytes, as the runner writes them. */
export async function* readMessages(schema: DescMessage): AsyncGenerator<Message, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const end = 4 + rest.readUInt32BE();
      yield fromBinary(schema, rest.subarray(4, end));
      rest = rest.subarray(end);
    }
  }
}

export function writeMessage(schema: DescMessage, message: Message): void {
  const bytes = toBinary(schema, message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  process.stdout.write(Buffer.concat([length, bytes]));
}
