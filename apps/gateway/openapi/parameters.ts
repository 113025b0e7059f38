import type { DescField, DescMessage } from '@bufbuild/protobuf';
import type { Binding } from '../../../http-rule/binding.ts';
import { boundFields, boundIn, boundSibling, isBound } from '../../../http-rule/bound.ts';
import { isTextual } from '../../../http-rule/fields.ts';
import { behaviorOf } from './behavior.ts';
import { constraintsOf } from './constraints.ts';
import type { PathPart } from './path.ts';
import type { Schemas } from './schemas.ts';
import type { Parameter } from './types.ts';

/** Most query parameters of one operation, and messages looked through for them: fields in fields in fields are without end. */
const most = 200;

/** The parameter of a part of a path. */
export function pathParameter(part: PathPart, binding: Binding, schemas: Schemas): Parameter {
  const { name, variable, whole, rest } = part;
  const fields = variable === undefined ? undefined : binding.variables[variable];
  const field = fields?.at(-1);
  const { description, ...schema } =
    field !== undefined && whole ? schemas.ofParameter(field) : { type: 'string' };
  const texts = [
    ...(typeof description === 'string' ? [description] : []),
    ...(field === undefined || whole
      ? []
      : [`One segment of \`${fields?.map((each) => each.name).join('.') ?? ''}\`.`]),
    ...(rest ? ['Any number of segments, none included; slashes are sent as they are.'] : []),
  ];
  return {
    name,
    in: 'path',
    ...(texts.length === 0 ? {} : { description: texts.join('\n\n') }),
    required: true,
    schema,
  };
}

/**
 * The fields that a binding takes from the query, in the names of JSON, those of messages after all others. A message
 * that holds itself has them without end: then not all are there.
 */
export function queryParameters(
  binding: Binding,
  schemas: Schemas,
): { readonly parameters: readonly Parameter[]; readonly all: boolean } {
  const parameters: Parameter[] = [];
  if (binding.body.kind === 'message') return { parameters, all: true };
  const waiting: { readonly message: DescMessage; readonly above: readonly DescField[] }[] = [
    { message: binding.method.input, above: [] },
  ];
  let all = true;
  let looked = 1;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const field of next.message.fields) {
      const fields = [...next.above, field];
      if (isElsewhere(binding, fields) || behaviorOf(field).outputOnly) continue;
      if (isTextual(field)) {
        if (parameters.length === most) return { parameters, all: false };
        parameters.push(queryParameter(fields, field, schemas));
      } else if (field.fieldKind === 'message') {
        if (fields.some(({ parent }) => parent === field.message)) all = false;
        else if (isOpaque(field.message)) continue;
        else if (looked++ < most) waiting.push({ message: field.message, above: fields });
        else all = false;
      }
    }
  }
  return { parameters, all };
}

function queryParameter(fields: readonly DescField[], field: DescField, schemas: Schemas): Parameter {
  const { description, deprecated, ...schema } = schemas.ofParameter(field);
  return {
    name: fields.map(({ jsonName }) => jsonName).join('.'),
    in: 'query',
    ...(typeof description === 'string' ? { description } : {}),
    // A field of a message that is left out itself is not asked for.
    ...(fields.length === 1 && isAskedFor(field) ? { required: true } : {}),
    ...(deprecated === true ? { deprecated } : {}),
    schema,
  };
}

/** Whether a request without the field is refused, or said to be wrong. */
export function isAskedFor(field: DescField): boolean {
  return constraintsOf(field).required || behaviorOf(field).required;
}

/** Whether the body or the path has the field, or another of its oneof, beside which it would be refused. */
function isElsewhere({ body, variables }: Binding, fields: readonly DescField[]): boolean {
  if (body.kind === 'field' && fields[0] === body.field) return true;
  const others = boundFields([...variables, ...(body.kind === 'field' ? [[body.field]] : [])]);
  const above = boundIn(others, fields.slice(0, -1));
  return fields.slice(-1).some((field) => isBound(field, above) || boundSibling(field, above) !== undefined);
}

/** Their fields are not those of their JSON form. */
function isOpaque({ typeName }: DescMessage): boolean {
  return typeName.startsWith('google.protobuf.');
}

/** Headers that count for every operation; what else there is, is said in words. */
export const headerParameters: Readonly<Record<string, Parameter>> = {
  'grpc-timeout': {
    name: 'grpc-timeout',
    in: 'header',
    description:
      'How long the answer may take: a number with H, M, S, m, u or n for its unit, such as `500m`.',
    schema: { type: 'string', pattern: '^[0-9]{1,8}[HMSmun]$' },
  },
  'x-request-id': {
    name: 'x-request-id',
    in: 'header',
    description: 'Names the request in logs.',
    schema: { type: 'string' },
  },
  traceparent: {
    name: 'traceparent',
    in: 'header',
    description: 'The trace that the request is part of (W3C Trace Context).',
    schema: { type: 'string' },
  },
};
