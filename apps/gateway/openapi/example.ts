import { isSchema } from './types.ts';
import type { OpenApi, Operation, Parameter, Schema } from './types.ts';

/** A value that fits a schema as far as a sample has to. */
export function exampleOf(schema: Schema, document: OpenApi, above: readonly string[] = []): unknown {
  const { $ref, anyOf, oneOf, allOf, type, format } = schema;
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['examples'])) return schema['examples'][0] as unknown;
  if (Array.isArray(schema['enum'])) return schema['enum'][0] as unknown;
  if (typeof $ref === 'string') {
    // A message in itself ends here.
    if (above.includes($ref)) return undefined;
    return exampleOf(resolve($ref, document), document, [...above, $ref]);
  }
  const [choice] = ((anyOf ?? oneOf) as readonly Schema[] | undefined) ?? [];
  if (choice !== undefined) return exampleOf(choice, document, above);
  switch (Array.isArray(type) ? (type as unknown[])[0] : type) {
    case 'string':
      return textExample(format, schema);
    case 'integer':
    case 'number':
      return Math.max(1, Number(schema['minimum'] ?? 1), Number(schema['exclusiveMinimum'] ?? 0) + 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array': {
      const entry = exampleOf((schema['items'] ?? {}) as Schema, document, above);
      return entry === undefined ? [] : [entry];
    }
    case 'object':
      return objectExample(schema, (allOf ?? []) as readonly Schema[], document, above);
    default:
      return {};
  }
}

function textExample(format: unknown, { contentEncoding }: Schema): string {
  if (format === 'date-time') return '2030-01-31T12:00:00Z';
  if (format === 'int64' || format === 'uint64') return '1';
  if (contentEncoding === 'base64') return 'AAEC';
  return typeof format === 'string' ? `<${format}>` : 'text';
}

function objectExample(
  schema: Schema,
  choices: readonly Schema[],
  document: OpenApi,
  above: readonly string[],
): unknown {
  // Of each oneof its first field.
  const left = new Set(
    choices.flatMap(({ oneOf }) =>
      (oneOf as readonly Schema[]).slice(1).flatMap(({ required }) => required ?? []),
    ),
  );
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>);
  const members = properties.flatMap(([name, property]): [string, unknown][] => {
    const value = left.has(name) ? undefined : exampleOf(property, document, above);
    return value === undefined ? [] : [[name, value]];
  });
  const { additionalProperties: values } = schema;
  if (isSchema(values)) members.push([keyExample(schema), exampleOf(values, document, above)]);
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

/** A call by curl, its server's base URL in `$GATEWAY`. */
export function curlOf(method: string, path: string, operation: Operation, document: OpenApi): string {
  const parameters = parametersOf(operation, document);
  const value = ({ schema }: Parameter) => encodeURIComponent(String(exampleOf(schema, document)));
  const target = path.replaceAll(/\{([^}]*)\}/g, (whole, name: string) => {
    const found = parameters.find((each) => each.in === 'path' && each.name === name);
    return found === undefined ? whole : value(found);
  });
  const query = parameters.filter((each) => each.in === 'query' && each.required === true);
  const asked = query.map((each) => `${encodeURIComponent(each.name)}=${value(each)}`).join('&');
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const plain = method === 'GET' ? type === undefined : method === 'POST' && type !== undefined;
  return [
    'curl',
    ...('application/x-ndjson' in (operation.responses['200'] as { content: object }).content ? ['-N'] : []),
    ...(plain ? [] : method === 'HEAD' ? ['-I'] : [`-X ${quoted(method === '*' ? 'GET' : method)}`]),
    `"$GATEWAY${target}${asked === '' ? '' : `?${asked}`}"`,
    ...(type === undefined ? [] : [`-H ${quoted(`content-type: ${type}`)}`]),
    ...(media === undefined ? [] : [`-d ${quoted(JSON.stringify(exampleOf(media.schema, document) ?? {}))}`]),
  ].join(' ');
}

function quoted(text: string): string {
  return /^[A-Z]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
