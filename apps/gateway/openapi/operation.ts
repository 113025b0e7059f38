import type { DescMethod } from '@bufbuild/protobuf';
import type { Binding } from '../../../http-rule/binding.ts';
import { boundFields } from '../../../http-rule/bound.ts';
import type { Comments } from './comments.ts';
import { headerParameters, isAskedFor, pathParameter, queryParameters } from './parameters.ts';
import type { PathPart } from './path.ts';
import { deprecated } from './schemas.ts';
import type { Schemas } from './schemas.ts';
import type { MediaType, Operation, RequestBody, Schema } from './types.ts';

/** What is made for all operations. */
export interface Making {
  readonly schemas: Schemas;
  readonly comments: Comments;
}

export interface OperationParts {
  readonly binding: Binding;
  readonly parts: readonly PathPart[];
  /** Unlike every other operation's. */
  readonly id: string;
  /** What else there is to say. */
  readonly notes: readonly string[];
}

/** The operation of a binding. */
export function operationOf({ binding, parts, id, notes }: OperationParts, making: Making): Operation {
  const { schemas, comments } = making;
  const { method } = binding;
  const { summary, description } = comments.ofMethod(method);
  const query = queryParameters(binding, schemas);
  const body = requestBody(binding, schemas);
  const texts = [
    ...(description === undefined ? [] : [description]),
    ...streaming(method),
    ...(query.all
      ? []
      : ['Fields of messages in messages, however deep, are query parameters as well: `a.b.c`.']),
    ...notes,
  ];
  return {
    operationId: id,
    tags: [method.parent.typeName],
    summary,
    ...(texts.length === 0 ? {} : { description: texts.join('\n\n') }),
    ...deprecated(method.deprecated ? method : method.parent),
    parameters: [
      ...parts.map((part) => pathParameter(part, binding, schemas)),
      ...query.parameters,
      ...Object.keys(headerParameters).map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      '200': { description: 'OK', content: answers(binding, schemas) },
      '4XX': { $ref: '#/components/responses/Error' },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

function requestBody({ method, body, variables }: Binding, schemas: Schemas): RequestBody | undefined {
  if (body.kind === 'none') return undefined;
  const bound = boundFields(variables);
  const whole = body.kind === 'message';
  const schema = whole ? schemas.ofMessage(method.input, bound) : schemas.ofField(body.field, bound);
  const lines = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  // No body at all is a message without fields, and no line at all a stream without messages.
  const required = whole ? asksForMembers(schema, schemas) : isAskedFor(body.field);
  return {
    ...(lines ? { description: 'A value of this schema in each line.' } : {}),
    required: required && !lines,
    content: { [lines ? 'application/x-ndjson' : 'application/json']: { schema } },
  };
}

/** Whether an object without members does not fit. */
function asksForMembers(schema: Schema, schemas: Schemas): boolean {
  const { $ref } = schema;
  const target = typeof $ref === 'string' ? schemas.all[$ref.slice($ref.lastIndexOf('/') + 1)] : schema;
  const choices = (target?.['allOf'] ?? []) as readonly { readonly oneOf: readonly Schema[] }[];
  return (
    target?.['required'] !== undefined || choices.some(({ oneOf }) => !oneOf.some((each) => 'not' in each))
  );
}

function answers({ method, responseBody }: Binding, schemas: Schemas): Readonly<Record<string, MediaType>> {
  const schema = responseBody === undefined ? schemas.ofAnswer(method.output) : schemas.ofPart(responseBody);
  if (method.methodKind === 'unary' || method.methodKind === 'client_streaming') {
    return { 'application/json': { schema } };
  }
  const member = (name: string, value: Schema) => ({
    type: 'object',
    properties: { [name]: value },
    required: [name],
  });
  return {
    'application/x-ndjson': {
      schema: {
        description: 'Of each line; one with an error is the last.',
        oneOf: [
          member('result', schema),
          member('error', { $ref: '#/components/schemas/google.rpc.Status' }),
        ],
      },
    },
    'text/event-stream': {
      schema: {
        type: 'string',
        description:
          'Events with the JSON of one message as their data. The last one is of type `end`, or of type `error` with a google.rpc.Status.',
      },
    },
  };
}

function streaming({ methodKind }: DescMethod): readonly string[] {
  const socket =
    'Also over WebSocket (subprotocol `grpc-json.v1`) by a handshake on this path: each text message is the JSON of one message';
  switch (methodKind) {
    case 'unary':
      return [];
    case 'server_streaming':
      return [`Answers with a stream of messages. ${socket}, as in a line of NDJSON.`];
    case 'client_streaming':
      return [`Takes a stream of messages. ${socket}, an empty one ends the stream.`];
    case 'bidi_streaming':
      return [
        `Takes and answers with streams of messages at once. ${socket}, an empty one ends the client's stream.`,
      ];
  }
}
