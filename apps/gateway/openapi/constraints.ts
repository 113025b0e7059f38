import { ScalarType, getOption, hasOption, isFieldSet, toJson } from '@bufbuild/protobuf';
import type { DescEnum, DescField, DescOneof, JsonObject } from '@bufbuild/protobuf';
import { scalarZeroValue } from '@bufbuild/protobuf/reflect';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import {
  FieldRulesSchema,
  Ignore,
  field as fieldRules,
  message as messageRules,
  oneof as oneofRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { FieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { Schema } from './types.ts';

/** What `buf.validate` says of a field, where JSON Schema has a word for it. */
export interface Constraints {
  /** Beside the field's own schema. */
  readonly keywords: Schema;
  /** Beside the schema of each entry of a list, or of each value of a map. */
  readonly entries: Schema;
  /** Whether the server refuses a message without it. */
  readonly required: boolean;
}

const none: Constraints = { keywords: {}, entries: {}, required: false };

/**
 * Source: https://protovalidate.com/schemas/standard-rules/. What has no keyword of the same meaning is left out: rules
 * over bytes, times and 64-bit integers (whose JSON form is a string), and those in CEL.
 */
export function constraintsOf(field: DescField): Constraints {
  if (!hasOption(field, fieldRules)) return none;
  const rules = getOption(field, fieldRules);
  const ignore = ignoreOf(field, rules);
  if (ignore === Ignore.ALWAYS) return none;
  // Only what is set is there, under one name in whatever kind of rules it is.
  const json = toJson(FieldRulesSchema, rules) as JsonObject;
  const own = keywordsOf(json, field.enum);
  const [list, map] = [json['repeated'], json['map']] as readonly (JsonObject | undefined)[];
  const inside = (list?.['items'] ?? map?.['values']) as JsonObject | undefined;
  const entries = inside === undefined ? {} : entriesOf(field, inside);
  if (rules.required) return { keywords: { ...filled(field), ...own }, entries, required: true };
  // What has presence is only looked at when it is there.
  const bare = hasPresence(field);
  const zeroToo = ignore === Ignore.IF_ZERO_VALUE && !bare;
  return {
    keywords: zeroToo ? orZero(own, zeroOf(field)) : own,
    entries,
    required: !bare && !zeroToo && refusesZero(own, zeroOf(field)),
  };
}

/** Fields of which a message has at most one are not looked at where they are zero, unless they say otherwise. */
function ignoreOf({ parent, name }: DescField, rules: FieldRules): Ignore {
  if (isFieldSet(rules, FieldRulesSchema.field.ignore) || !hasOption(parent, messageRules)) {
    return rules.ignore;
  }
  const { oneof } = getOption(parent, messageRules);
  return oneof.some(({ fields }) => fields.includes(name)) ? Ignore.IF_ZERO_VALUE : rules.ignore;
}

function entriesOf({ message, enum: type, scalar }: DescField, rules: JsonObject): Schema {
  const { ignore } = rules;
  if (ignore === 'IGNORE_ALWAYS') return {};
  const own = keywordsOf(rules, type);
  // An entry that is a message is there, whatever is in it.
  return ignore === 'IGNORE_IF_ZERO_VALUE' && message === undefined ? orZero(own, zero(type, scalar)) : own;
}

function hasPresence({ fieldKind, presence }: DescField): boolean {
  const many = fieldKind === 'list' || fieldKind === 'map';
  return !many && presence !== FeatureSet_FieldPresence.IMPLICIT;
}

/** The JSON of a field that is not set. */
function zeroOf({ fieldKind, enum: type, scalar }: DescField): unknown {
  return fieldKind === 'list' ? [] : fieldKind === 'map' ? {} : zero(type, scalar);
}

function zero(type: DescEnum | undefined, scalar: ScalarType | undefined): unknown {
  if (type !== undefined) return type.values[0]?.name;
  return scalar === undefined ? null : fromScalar(scalarZeroValue(scalar, false));
}

/** Numbers of 64 bits are strings in JSON, as are bytes. */
function fromScalar(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? '' : value;
}

function orZero(keywords: Schema, value: unknown): Schema {
  if (!refusesZero(keywords, value)) return keywords;
  return { anyOf: [keywords, { const: value }] };
}

/** Whether the keywords would refuse what is zero. */
function refusesZero(keywords: Schema, value: unknown): boolean {
  return Object.entries(keywords).some(([keyword, limit]) => zeroRefusals[keyword]?.(limit, value) === true);
}

const positive = (limit: unknown) => Number(limit) > 0;
const zeroRefusals: Readonly<Record<string, (limit: unknown, value: unknown) => boolean>> = {
  const: (only, value) => only !== value,
  enum: (some, value) => !(some as readonly unknown[]).includes(value),
  minimum: positive,
  exclusiveMinimum: (limit) => Number(limit) >= 0,
  maximum: (limit) => Number(limit) < 0,
  exclusiveMaximum: (limit) => Number(limit) <= 0,
  minLength: positive,
  minItems: positive,
  minProperties: positive,
  pattern: (pattern) => !new RegExp(String(pattern), 'u').test(''),
  // Of all formats only that of relative references takes an empty text.
  format: (format) => format !== 'uri-reference',
};

/** Whether one field of a oneof has to be given. */
export function isRequired(oneof: DescOneof): boolean {
  return hasOption(oneof, oneofRules) && getOption(oneof, oneofRules).required;
}

/** A required value that cannot be told from one left out has to be another than zero. */
function filled(field: DescField): Schema {
  if (field.fieldKind === 'list') return { minItems: 1 };
  if (field.fieldKind === 'map') return { minProperties: 1 };
  return field.presence === FeatureSet_FieldPresence.IMPLICIT && field.scalar === ScalarType.STRING
    ? { minLength: 1 }
    : {};
}

type Keyword = readonly [rule: string, keyword: string];

const ordered: readonly Keyword[] = [
  ['const', 'const'],
  ['in', 'enum'],
  ['lt', 'exclusiveMaximum'],
  ['lte', 'maximum'],
  ['gt', 'exclusiveMinimum'],
  ['gte', 'minimum'],
];
const counted: readonly Keyword[] = [
  ['minLen', 'minLength'],
  ['maxLen', 'maxLength'],
  ['minItems', 'minItems'],
  ['maxItems', 'maxItems'],
  ['minPairs', 'minProperties'],
  ['maxPairs', 'maxProperties'],
];
const formats: readonly Keyword[] = [
  ['email', 'email'],
  ['hostname', 'hostname'],
  ['ipv4', 'ipv4'],
  ['ipv6', 'ipv6'],
  ['uri', 'uri'],
  ['uriRef', 'uri-reference'],
  ['uuid', 'uuid'],
];
const numeric = ['int32', 'uint32', 'sint32', 'fixed32', 'sfixed32', 'float', 'double'];
const long = ['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'];

function keywordsOf(json: JsonObject, type: DescEnum | undefined): Schema {
  const of = (kind: string) => json[kind] as JsonObject | undefined;
  const number = numeric.map(of).find((each) => each !== undefined);
  if (number !== undefined) return numbers(number);
  const equal = of('bool') ?? long.map(of).find((each) => each !== undefined);
  if (equal !== undefined)
    return translate(equal, [
      ['const', 'const'],
      ['in', 'enum'],
    ]);
  const string = of('string');
  if (string !== undefined) return strings(string);
  const values = of('enum');
  if (values !== undefined && type !== undefined) return enums(values, type);
  const many = of('repeated') ?? of('map');
  return many === undefined
    ? {}
    : { ...translate(many, counted, Number), ...(many['unique'] === true ? { uniqueItems: true } : {}) };
}

function numbers(rules: JsonObject): Schema {
  const { lt, lte, gt, gte } = rules;
  const [most, least] = [lt ?? lte, gt ?? gte];
  // Bounds the wrong way round mean outside of both.
  const outside = typeof most === 'number' && typeof least === 'number' && most < least;
  return translate(rules, outside ? ordered.slice(0, 2) : ordered);
}

function strings(rules: JsonObject): Schema {
  const { len, pattern } = rules;
  return {
    ...translate(rules, [
      ['const', 'const'],
      ['in', 'enum'],
    ]),
    ...(len === undefined ? {} : { minLength: Number(len), maxLength: Number(len) }),
    ...translate(rules, counted, Number),
    ...(typeof pattern === 'string' && isEcma(pattern) ? { pattern } : {}),
    ...Object.fromEntries(
      formats.filter(([rule]) => rules[rule] === true).map(([, format]) => ['format', format]),
    ),
  };
}

function enums({ const: only, in: some, notIn }: JsonObject, { values }: DescEnum): Schema {
  const allowed = only === undefined ? (some as number[] | undefined) : [only as number];
  const forbidden = (notIn as number[] | undefined) ?? [];
  if (allowed === undefined && forbidden.length === 0) return {};
  const left = values.filter(
    ({ number }) => (allowed?.includes(number) ?? true) && !forbidden.includes(number),
  );
  return { enum: left.map(({ name }) => name) };
}

/** Rules are in RE2's syntax, most of which ECMAScript has as well. */
function isEcma(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').source !== '';
  } catch {
    return false;
  }
}

function translate(
  rules: JsonObject,
  keywords: readonly Keyword[],
  convert: (value: unknown) => unknown = (value) => value,
): Schema {
  return Object.fromEntries(
    keywords.flatMap(([rule, keyword]) =>
      rules[rule] === undefined ? [] : [[keyword, convert(rules[rule])]],
    ),
  );
}
