import { isSchema } from './types.ts';
import type { OpenApi, Operation, Parameter, Schema } from './types.ts';

/** Characters of a text and entries of a list: more is no sample. */
const most = 1_000;

/** Messages in one another, and members in all of them: where messages hold each other, all ways through them are too many. */
const deepest = 4;
const mostMembers = 500;

/** A sample that is being made: where its schemas are, and how many members it may still get. */
interface Making {
  readonly document: OpenApi;
  left: number;
}

/** A value that fits a schema as far as a sample has to: what a pattern asks for is not made up. */
export function exampleOf(schema: Schema, document: OpenApi): unknown {
  return example(schema, { document, left: mostMembers }, []);
}

/** @param above - the references that led here */
function example(schema: Schema, making: Making, above: readonly string[]): unknown {
  const { $ref, anyOf, oneOf, allOf, type, items } = schema;
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['examples'])) return schema['examples'][0] as unknown;
  if (Array.isArray(schema['enum'])) return schema['enum'][0] as unknown;
  const [choice] = ((anyOf ?? oneOf) as readonly Schema[] | undefined) ?? [];
  if (choice !== undefined) {
    return example({ ...schema, anyOf: undefined, oneOf: undefined, ...choice }, making, above);
  }
  if (typeof $ref === 'string') {
    // A message in itself ends here.
    if (above.includes($ref)) return undefined;
    return example(resolve($ref, making.document), making, [...above, $ref]);
  }
  switch (Array.isArray(type) ? (type as unknown[])[0] : type) {
    case 'string':
      return textExample(schema);
    case 'integer':
    case 'number':
      return numberExample(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array': {
      const entry = example((items ?? {}) as Schema, making, above);
      return entry === undefined
        ? []
        : Array.from({ length: Math.min(Number(schema['minItems'] ?? 1), most) }, () => entry);
    }
    case 'object':
      return objectExample(schema, (allOf ?? []) as readonly Schema[], making, above);
    default:
      return {};
  }
}

/** Of the formats that protos ask for; names and addresses are those kept for samples (RFC 2606, 5737 and 3849). */
const texts: Readonly<Record<string, string>> = {
  'date-time': '2030-01-31T12:00:00Z',
  int64: '1',
  uint64: '1',
  uuid: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  email: 'ada@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': '/',
};

function textExample({ format, contentEncoding, minLength = 0, maxLength = Infinity }: Schema): string {
  if (contentEncoding === 'base64') return 'AAEC';
  if (typeof format === 'string') return texts[format] ?? `<${format}>`;
  return 'text'.padEnd(Math.min(Number(minLength), most), '-').slice(0, Number(maxLength));
}

/** One, or what is allowed next to it. */
function numberExample({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): number {
  const [above, below] = [Number(exclusiveMinimum ?? -Infinity), Number(exclusiveMaximum ?? Infinity)];
  const least = Math.max(Number(minimum ?? -Infinity), above === -Infinity ? above : above + 1);
  const greatest = Math.min(Number(maximum ?? Infinity), below === Infinity ? below : below - 1);
  // Between bounds less than two apart.
  if (least > greatest && type !== 'integer') {
    return (Math.max(above, Number(minimum ?? above)) + Math.min(below, Number(maximum ?? below))) / 2;
  }
  return Math.min(Math.max(1, least), greatest);
}

function objectExample(
  schema: Schema,
  choices: readonly Schema[],
  making: Making,
  above: readonly string[],
): unknown {
  // Of each oneof its first field.
  const left = new Set(
    choices.flatMap(({ oneOf }) =>
      (oneOf as readonly Schema[]).slice(1).flatMap(({ required }) => required ?? []),
    ),
  );
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>);
  const required = new Set((schema['required'] ?? []) as readonly string[]);
  const members = properties.flatMap(([name, property]): [string, unknown][] => {
    const enough = above.length > deepest || making.left <= 0;
    if (left.has(name) || (enough && !required.has(name))) return [];
    making.left -= 1;
    const value = example(property, making, above);
    return value === undefined ? [] : [[name, value]];
  });
  const { additionalProperties: values } = schema;
  if (isSchema(values)) members.push([keyExample(schema), example(values, making, above)]);
  return Object.fromEntries(members);
}

function keyExample({ propertyNames: names }: Schema): string {
  if (!isSchema(names)) return 'key';
  return Array.isArray(names['enum']) ? String(names['enum'][0]) : '1';
}

/** What a reference inside the document leads to. */
export function resolve($ref: string, document: OpenApi): Schema {
  const names = $ref.replace(/^#\//, '').split('/');
  return names.reduce<unknown>((value, name) => (value as Schema)[name], document) as Schema;
}

/** The parameters of an operation, references resolved. */
export function parametersOf(operation: Operation, document: OpenApi): Parameter[] {
  return operation.parameters.map((each) =>
    '$ref' in each ? (resolve(each.$ref, document) as unknown as Parameter) : each,
  );
}

/** A call that fits an operation: all that has to be given, and the whole body. */
export interface Sample {
  readonly method: string;
  readonly target: string;
  readonly contentType?: string;
  readonly body?: string;
}

/** @param method - HTTP method; `*` for any */
export function sampleOf(method: string, path: string, operation: Operation, document: OpenApi): Sample {
  const parameters = parametersOf(operation, document);
  const value = ({ schema }: Parameter) => encodeURIComponent(String(exampleOf(schema, document)));
  const filled = path.replaceAll(/\{([^}]*)\}/g, (whole, name: string) => {
    const found = parameters.find((each) => each.in === 'path' && each.name === name);
    return found === undefined ? whole : value(found);
  });
  const query = parameters.filter((each) => each.in === 'query' && each.required === true);
  const asked = query.map((each) => `${encodeURIComponent(each.name)}=${value(each)}`).join('&');
  const [content] = Object.entries(operation.requestBody?.content ?? {});
  return {
    method: method === '*' ? 'GET' : method,
    target: `${filled}${asked === '' ? '' : `?${asked}`}`,
    ...(content === undefined
      ? {}
      : { contentType: content[0], body: JSON.stringify(exampleOf(content[1].schema, document) ?? {}) }),
  };
}

/** A call by curl, its server's base URL in `$GATEWAY`. */
export function curlOf(verb: string, path: string, operation: Operation, document: OpenApi): string {
  const { method, target, contentType, body } = sampleOf(verb, path, operation, document);
  const plain = verb === 'GET' ? body === undefined : verb === 'POST' && body !== undefined;
  return [
    'curl',
    ...('application/x-ndjson' in (operation.responses['200'] as { content: object }).content ? ['-N'] : []),
    ...(plain ? [] : verb === 'HEAD' ? ['-I'] : [`-X ${quoted(method)}`]),
    `"$GATEWAY${target}"`,
    ...(contentType === undefined ? [] : [`-H ${quoted(`content-type: ${contentType}`)}`]),
    ...(body === undefined ? [] : [`-d ${quoted(body)}`]),
  ].join(' ');
}

function quoted(text: string): string {
  return /^[A-Z]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
