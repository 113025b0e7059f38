import { create, ScalarType } from '@bufbuild/protobuf';
import type { DescField, DescMessage, DescOneof, Message } from '@bufbuild/protobuf';
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';

/** For tests: messages with some of their fields set, of values that have a JSON form; nested at most so deep. */
export function randomMessage(desc: DescMessage, depth = 2): Arbitrary<Message> {
  const wellKnown = wellKnownTypes[desc.typeName];
  if (wellKnown !== undefined) return wellKnown(desc, depth);
  const members = desc.members.filter((member) => depth > 0 || !isNested(member));
  return fc
    .subarray(members, { maxLength: Math.min(6, members.length) })
    .chain((some) =>
      fc.tuple(
        ...some.map((member) =>
          valueOf(member, depth - 1).map((value) => [member.localName, value] as const),
        ),
      ),
    )
    .map((pairs) => create(desc, Object.assign(bare(), Object.fromEntries(pairs))));
}

/** Without a prototype, whose hasOwnProperty would pass for a field's value. */
const bare = (): object => Object.create(null) as object;

function isNested(member: DescField | DescOneof): boolean {
  return member.kind === 'oneof' ? member.fields.some(isNested) : member.message !== undefined;
}

function valueOf(member: DescField | DescOneof, depth: number): Arbitrary<unknown> {
  if (member.kind === 'oneof') {
    return fc.oneof(
      ...member.fields.map((field) =>
        singular(field, depth).map((value) => ({ case: field.localName, value })),
      ),
    );
  }
  if (member.fieldKind === 'list') return fc.array(singular(member, depth), { maxLength: 4 });
  if (member.fieldKind === 'message' && isWrapper(member.message))
    return scalar(member.message.fields[0]?.scalar);
  if (member.fieldKind !== 'map') return singular(member, depth);
  return fc.dictionary(keyOf(member.mapKey), singular(member, depth), { maxKeys: 4 });
}

function singular(field: DescField, depth: number): Arbitrary<unknown> {
  // Messages hold these two as what they stand for.
  if (field.message?.typeName === 'google.protobuf.Struct') return fc.dictionary(text, value(depth));
  if (field.message !== undefined) return randomMessage(field.message, depth);
  if (field.enum?.typeName === 'google.protobuf.NullValue') return fc.constant(0);
  if (field.enum !== undefined)
    return fc.oneof(fc.constantFrom(...field.enum.values.map(({ number }) => number)), fc.integer());
  return scalar(field.scalar);
}

const isWrapper = ({ typeName }: DescMessage) =>
  /^google\.protobuf\.\w+\dValue$|^google\.protobuf\.(Double|Float|Bool|String|Bytes)Value$/.test(typeName);

/** JSON.stringify knows no -0. */
const unsigned = (value: number) => (value === 0 ? 0 : value);

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.constantFrom('__proto__', 'constructor', '"\\\n\u0000\u2028', 'toString'),
);

const shared: Readonly<Partial<Record<ScalarType, Arbitrary<unknown>>>> = {
  [ScalarType.DOUBLE]: fc.double().map(unsigned),
  [ScalarType.FLOAT]: fc.float().map(unsigned),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.STRING]: text,
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 200 }),
  [ScalarType.UINT32]: fc.nat(),
  [ScalarType.FIXED32]: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  [ScalarType.UINT64]: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  [ScalarType.FIXED64]: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
};

function scalar(type: ScalarType = ScalarType.STRING): Arbitrary<unknown> {
  const wide = [ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64].includes(type);
  const signed = wide
    ? fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -200n, max: 200n }))
    : fc.integer();
  return shared[type] ?? signed;
}

function keyOf(type: ScalarType): Arbitrary<string> {
  return scalar(type).map(String);
}

const value = (depth: number) => fc.jsonValue({ maxDepth: Math.max(0, depth) });
const message = (desc: DescMessage, init: Arbitrary<Record<string, unknown>>) =>
  init.map((fields) => create(desc, fields));
const struct = (json: Record<string, unknown>): unknown => ({ fields: mapValues(json, kindOf) });
const mapValues = (json: Record<string, unknown>, map: (each: unknown) => unknown) =>
  Object.fromEntries(Object.entries(json).map(([key, each]) => [key, map(each)]));

function kindOf(json: unknown): unknown {
  if (json === null) return { kind: { case: 'nullValue', value: 0 } };
  if (typeof json === 'number') return { kind: { case: 'numberValue', value: unsigned(json) } };
  if (typeof json === 'string') return { kind: { case: 'stringValue', value: json } };
  if (typeof json === 'boolean') return { kind: { case: 'boolValue', value: json } };
  if (Array.isArray(json)) return { kind: { case: 'listValue', value: { values: json.map(kindOf) } } };
  return { kind: { case: 'structValue', value: struct(json as Record<string, unknown>) } };
}

const nanos = fc.oneof(fc.constantFrom(0, 1_000_000, 1_000, 1), fc.integer({ min: 0, max: 999_999_999 }));

/** Those of which not every value has a JSON form. */
const wellKnownTypes: Readonly<Record<string, (desc: DescMessage, depth: number) => Arbitrary<Message>>> = {
  'google.protobuf.Timestamp': (desc) =>
    message(desc, fc.record({ seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }), nanos })),
  'google.protobuf.Duration': (desc) =>
    message(
      desc,
      fc
        .record({ seconds: fc.bigInt({ min: 0n, max: 315_576_000_000n }), nanos, minus: fc.boolean() })
        .map((each) =>
          each.minus
            ? { seconds: -each.seconds, nanos: -each.nanos }
            : { seconds: each.seconds, nanos: each.nanos },
        ),
    ),
  'google.protobuf.FieldMask': (desc) =>
    message(
      desc,
      fc.record({ paths: fc.array(fc.stringMatching(/^[a-z][a-z0-9]{0,4}(_[a-z][a-z0-9]{0,3}){0,2}$/)) }),
    ),
  'google.protobuf.Any': (desc) => fc.constant(create(desc)),
  'google.protobuf.Struct': (desc, depth) =>
    message(
      desc,
      fc.dictionary(text, value(depth)).map((json) => struct(json) as Record<string, unknown>),
    ),
  'google.protobuf.Value': (desc, depth) =>
    message(
      desc,
      value(depth).map((json) => kindOf(json) as Record<string, unknown>),
    ),
  'google.protobuf.ListValue': (desc, depth) =>
    message(
      desc,
      fc.array(value(depth), { maxLength: 3 }).map((json) => ({ values: json.map(kindOf) })),
    ),
};
