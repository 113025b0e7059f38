import type { DescMessage } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import type { ByteWriter } from '../bytes.ts';
import { AnswerError } from './wire-reader.ts';
import type { WireReader } from './wire-reader.ts';

/** What a field of a message needs to be written as a member of a JSON object. */
export interface MemberParts {
  /** The proto's and the JSON name. */
  readonly name: string;
  readonly json: string;
  readonly number: number;
  /** Among the message's fields. */
  readonly index: number;
  readonly wire: WireType;
  /** Whether it has entries: the first one's place is kept, not the last one's. */
  readonly listed: boolean;
  /** Whether several values are parts of one: its place is kept as the first one's, negative. */
  readonly merged: boolean;
  /** JSON of its absence; undefined when it is left out then. */
  readonly zero: string | undefined;
  /** @param slot - one more than the place of the value's tag */
  write(reader: WireReader, slot: number, end: number, writer: ByteWriter): void;
}

export interface Member extends MemberParts {
  /** `,"name":` in bytes. */
  readonly key: Uint8Array;
  /** The same with the JSON of the field's absence. */
  readonly empty: Uint8Array | undefined;
  /** Indices of the other fields of its oneof. */
  readonly others: readonly number[];
}

/** How a message is read. */
export interface Plan {
  readonly members: readonly Member[];
  readonly byNumber: (Member | undefined)[] | Map<number, Member>;
}

/** Largest field number that an array is made for. */
const fewNumbers = 127;

export function planOf(desc: DescMessage, parts: readonly MemberParts[]): Plan {
  const members = parts.map((part, index): Member => {
    const key = `,${JSON.stringify(part.json)}:`;
    const field = desc.fields[index];
    const others = field?.oneof?.fields
      .filter((other) => other !== field)
      .map((other) => desc.fields.indexOf(other));
    return {
      ...part,
      key: Buffer.from(key),
      empty: part.zero === undefined ? undefined : Buffer.from(key + part.zero),
      others: others ?? [],
    };
  });
  const last = Math.max(0, ...members.map(({ number }) => number));
  if (last > fewNumbers)
    return { members, byNumber: new Map(members.map((member) => [member.number, member])) };
  const byNumber = new Array<Member | undefined>(last + 1).fill(undefined);
  for (const member of members) byNumber[member.number] = member;
  return { members, byNumber };
}

/**
 * Finds where the value of each field of a message stands, which goes up to `end`.
 * @returns the index of the first of the reader's slots for them
 * @throws AnswerError when the bytes are no message
 */
export function collect({ members, byNumber }: Plan, reader: WireReader, end: number): number {
  const base = reader.enter(members.length);
  const { slots } = reader;
  while (reader.pos < end) {
    const slot = reader.pos + 1;
    const tag = reader.varint32();
    const number = tag >>> 3;
    const member = Array.isArray(byNumber) ? byNumber[number] : byNumber.get(number);
    reader.skip(tag);
    if (member === undefined || !fits(member, tag & 7)) continue;
    const at = base + member.index;
    const before = slots[at] ?? 0;
    if (!member.listed && !member.merged) slots[at] = slot;
    else if (before === 0) slots[at] = slot;
    else if (member.merged) slots[at] = -Math.abs(before);
    for (const other of member.others) slots[base + other] = 0;
  }
  if (reader.pos !== end) throw new AnswerError('malformed protobuf');
  return base;
}

const delimited: number = WireType.LengthDelimited;

function fits({ wire, listed }: Member, given: number): boolean {
  return given === (wire as number) || (listed && given === delimited);
}
