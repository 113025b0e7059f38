import { ScalarType, getOption, hasOption, toJson } from '@bufbuild/protobuf';
import type { DescEnum, DescField, DescOneof, JsonObject } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import {
  FieldRulesSchema,
  Ignore,
  field as fieldRules,
  oneof as oneofRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { Schema } from './types.ts';

/** What `buf.validate` says of a field, where JSON Schema has a word for it. */
export interface Constraints {
  /** Beside the field's own schema. */
  readonly keywords: Schema;
  /** Beside the schema of each entry of a list, or of each value of a map. */
  readonly entries: Schema;
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
  // Zero is let through as well then, which no keyword says.
  if (rules.ignore !== Ignore.UNSPECIFIED) return none;
  // Only what is set is there, under one name in whatever kind of rules it is.
  const json = toJson(FieldRulesSchema, rules) as JsonObject;
  const own = keywordsOf(json, field.enum);
  const [list, map] = [json['repeated'], json['map']] as readonly (JsonObject | undefined)[];
  const inside = (list?.['items'] ?? map?.['values']) as JsonObject | undefined;
  return {
    keywords: { ...(rules.required ? filled(field) : {}), ...own },
    entries: inside === undefined || 'ignore' in inside ? {} : keywordsOf(inside, field.enum),
    required: rules.required,
  };
}

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
