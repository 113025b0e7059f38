import { markup } from './html.ts';
import type { Html } from './html.ts';
import { isSchema } from './types.ts';
import type { Schema } from './types.ts';

/** A schema in few words, with links to those that have a name. */
export function schemaHtml(schema: Schema): Html {
  const { $ref, type, format, contentEncoding, items, additionalProperties: values } = schema;
  const limits = limitsOf(schema);
  const more = limits === '' ? '' : ` (${limits})`;
  if (typeof $ref === 'string') {
    const name = $ref.slice($ref.lastIndexOf('/') + 1);
    return markup`<a href="#${name}">${name}</a>${more}`;
  }
  const choices = (schema['anyOf'] ?? schema['oneOf']) as readonly Schema[] | undefined;
  if (choices !== undefined)
    return markup`${separated(
      choices.map((each) => schemaHtml({ ...(type === undefined ? {} : { type }), ...each })),
      ' or ',
    )}${more}`;
  if (type === 'array') return markup`array of ${schemaHtml((items ?? {}) as Schema)}${more}`;
  if (isSchema(values)) return markup`map of ${schemaHtml(values)}${more}`;
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>);
  if (properties.length > 0) {
    const members = properties.map(([name, each]) => markup`${name}: ${schemaHtml(each)}`);
    return markup`{ ${separated(members, ', ')} }`;
  }
  const name = Array.isArray(type) ? type.join(' or ') : typeof type === 'string' ? type : 'any';
  const kind = format ?? contentEncoding;
  return markup`${type === undefined && 'enum' in schema ? '' : name}${typeof kind === 'string' ? ` ${kind}` : ''}${more}`;
}

function separated(parts: readonly Html[], separator: string): (Html | string)[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part]));
}

const words: Readonly<Record<string, (value: unknown) => string>> = {
  const: (value) => `is ${JSON.stringify(value)}`,
  enum: (value) => (value as unknown[]).map((each) => JSON.stringify(each)).join(', '),
  minimum: (value) => `at least ${String(value)}`,
  exclusiveMinimum: (value) => `more than ${String(value)}`,
  maximum: (value) => `at most ${String(value)}`,
  exclusiveMaximum: (value) => `less than ${String(value)}`,
  minLength: (value) => `at least ${String(value)} characters`,
  maxLength: (value) => `at most ${String(value)} characters`,
  pattern: (value) => `matches ${String(value)}`,
  minItems: (value) => `at least ${String(value)} entries`,
  maxItems: (value) => `at most ${String(value)} entries`,
  uniqueItems: () => 'each once',
  minProperties: (value) => `at least ${String(value)} entries`,
  maxProperties: (value) => `at most ${String(value)} entries`,
};

function limitsOf(schema: Schema): string {
  const own = Object.entries(words).filter(([name]) => name in schema && !isOfFormat(schema, name));
  return own.map(([name, say]) => say(schema[name])).join('; ');
}

/** Whether a limit only says what the format, or the encoding, says already. */
function isOfFormat(schema: Schema, limit: string): boolean {
  const { format, contentEncoding } = schema;
  if (limit === 'pattern') return format !== undefined || contentEncoding !== undefined;
  return typeof format === 'string' && (limitsOfFormats[format]?.includes(schema[limit]) ?? false);
}

const limitsOfFormats: Readonly<Record<string, readonly unknown[]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  float: [-3.4028235e38, 3.4028235e38],
};
