import type { DescEnum } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import type { ByteWriter } from '../bytes.ts';
import type { JsonReader } from './json-reader.ts';
import { nearest } from '../nearest.ts';
import { parseInteger } from '../numbers.ts';
import { TextError, orFail } from '../scalars.ts';
import type { ScalarWriter } from '../scalars.ts';

/** An enum by a value's name or number; a number of no value is kept where the enum is open. */
export function enumWriter(desc: DescEnum): ScalarWriter {
  const numbers = new Map(desc.values.map(({ name, number }) => [name, number]));
  const known = new Set(numbers.values());
  const nullable = desc.typeName === 'google.protobuf.NullValue';
  const zero = desc.values[0]?.number ?? 0;
  const what = `a value of ${desc.typeName}`;

  const write = (value: number, writer: ByteWriter): boolean => {
    writer.varint64(value, value < 0 ? -1 : 0);
    return value === zero;
  };
  const unknown = (name: string): never => {
    const near = nearest(name, numbers.keys());
    throw new TextError(
      `${what} expected${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`,
    );
  };
  const writeNumber = (text: string, writer: ByteWriter): boolean => {
    const value = parseInteger(text);
    if (value === undefined) throw new TextError(`${what} expected`);
    if (value === 'range' || BigInt.asIntN(32, value) !== value)
      throw new TextError(`${what} expected, out of range`);
    if (!desc.open && !known.has(Number(value))) throw new TextError(`${what} expected`);
    return write(Number(value), writer);
  };
  return {
    wire: WireType.Varint,
    text: (text, writer) => {
      const number = numbers.get(text);
      if (number !== undefined) return write(number, writer);
      return /^-?[0-9]/.test(text) ? writeNumber(text, writer) : unknown(text);
    },
    json: (reader: JsonReader, writer) => {
      if (reader.peek() === 0x22) {
        const name = reader.string();
        return write(numbers.get(name) ?? orFail(reader, () => unknown(name)), writer);
      }
      if (nullable && reader.literal('null')) return write(0, writer);
      const text = reader.numberText() ?? reader.unexpected(what);
      return orFail(reader, () => writeNumber(text, writer));
    },
  };
}
