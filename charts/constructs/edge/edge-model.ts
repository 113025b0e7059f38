import { getOption, hasOption, ScalarType, toJson } from '@bufbuild/protobuf';
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import {
  FieldRulesSchema,
  field as fieldRules,
  message as messageRules,
  oneof as oneofRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { patternsOf, type Pattern } from '../../../http-rule/pattern.ts';
import type { EdgeModel, GrpcReadModel, ReadModel } from '../../model/mesh-model.ts';
import { pathOf } from '../access/authorization.ts';
import type { Method } from '../scope/method.ts';
import { isSafe } from '../workload/call-models.ts';
import { requirementOf, type Jwt } from './jwt.ts';

/** An edge as plain data, for those who call it. */
export function edgeModel(edge: {
  readonly methods: readonly Method[];
  /** Those that native gRPC clients may call. @default - none */
  readonly grpc?: readonly Method[];
  readonly hosts: readonly string[];
  readonly tls: boolean;
  readonly openapi: boolean;
  readonly jwt: Jwt<string> | undefined;
  /** Whether something other than the service may answer calls of a method: a limit, a fault. */
  readonly hindered: (method: Method) => boolean;
}): EdgeModel {
  const { methods, grpc = [], hosts, tls, openapi, jwt, hindered } = edge;
  const example = exampleOf(methods, jwt);
  const open = methods.filter(
    (method) => isSafe(method) && !requirementOf(jwt, method).token && !hindered(method),
  );
  return {
    ...{ hosts, tls, openapi, reads: readsOf(open) },
    ...(example !== undefined && { example }),
    ...(grpc.length > 0 && { grpc: grpcReadsOf(grpc, jwt, hindered) }),
  };
}

/** Of each workload one call without side effects that needs no token, and one that does, where it has one. */
function grpcReadsOf(
  methods: readonly Method[],
  jwt: Jwt<string> | undefined,
  hindered: (method: Method) => boolean,
): readonly GrpcReadModel[] {
  const safe = methods.filter((method) => isSafe(method) && method.kind === 'unary');
  return [...Map.groupBy(safe, ({ service }) => service)].flatMap(([{ name, namespace }, served]) => {
    const needsToken = (method: Method) => requirementOf(jwt, method).token;
    const open = served.find((method) => !needsToken(method) && !hindered(method));
    const closed = served.find(needsToken);
    return [open, closed].flatMap((method) =>
      method === undefined
        ? []
        : [{ workload: name, namespace: namespace.name, path: pathOf(method), token: needsToken(method) }],
    );
  });
}

/** Of each workload the first request that brings no body and has one answer, and as few variables as can be had. */
function readsOf(methods: readonly Method[]): readonly ReadModel[] {
  const unary = methods.filter(({ kind }) => kind === 'unary');
  return [...Map.groupBy(unary, ({ service }) => service)].flatMap(([{ name, namespace }, served]) => {
    const [path] = served
      .flatMap(({ descriptor }) =>
        patternsOf(descriptor)
          .filter(({ httpMethod }) => httpMethod === 'GET')
          .map(({ template }) => ({ template, input: descriptor.input })),
      )
      .toSorted((a, b) => a.template.variables.length - b.template.variables.length)
      .flatMap(({ template, input }) => readPath(template, input) ?? []);
    return path === undefined ? [] : [{ workload: name, namespace: namespace.name, path }];
  });
}

/** `/v1/products/ID` for `/v1/products/{id}`: values that the gateway can read, so that it asks the service. */
function readPath(template: Pattern['template'], input: DescMessage): string | undefined {
  const values = template.variables.map(({ fieldPath }) => sampleOf(fieldAt(input, fieldPath)));
  if (values.includes(undefined)) return undefined;
  return requestPath(template, (variable) => values[variable] ?? 'ID');
}

function fieldAt(input: DescMessage, [name, ...rest]: readonly string[]): DescField | undefined {
  const field = input.fields.find((each) => each.name === name);
  return rest.length === 0 || field?.fieldKind !== 'message' ? field : fieldAt(field.message, rest);
}

/** A value of the field's type, as a path has it; undefined for a type that is no plain value. */
function sampleOf(field: DescField | undefined): string | undefined {
  if (field?.fieldKind === 'enum') return '0';
  if (field?.fieldKind !== 'scalar') return undefined;
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return 'ID';
    case ScalarType.BOOL:
      return 'true';
    default:
      return '1';
  }
}

/**
 * The GET request that is the easiest to make: without a token, without arguments and with one answer, as far as that
 * can be had. The first of those that are equal.
 */
function exampleOf(methods: readonly Method[], jwt: Jwt<string> | undefined): EdgeModel['example'] {
  const ways = methods.flatMap((method) => {
    const { token } = requirementOf(jwt, method);
    const streams = method.kind !== 'unary';
    return patternsOf(method.descriptor)
      .filter(({ httpMethod }) => httpMethod === 'GET')
      .flatMap(({ template }) => {
        const isFixed = template.segments.every(({ kind }) => kind === 'literal');
        // What it asks for beside the path would have to be in the query.
        if (isFixed && asksForMore(method.descriptor.input)) return [];
        const effort = Number(token) * 4 + Number(!isFixed) * 2 + Number(streams);
        return [{ effort, path: examplePath(template), token }];
      });
  });
  const [first] = ways.toSorted((a, b) => a.effort - b.effort);
  return first && { path: first.path, token: first.token };
}

/** `/v1/products/ID` for `/v1/products/{id}`. */
function examplePath(template: Pattern['template']): string {
  return requestPath(
    template,
    (variable) => template.variables[variable]?.fieldPath.join('_').toUpperCase() ?? '',
  );
}

/** @param valueOf - of a variable, by its index, for each of its segments that is not literal */
function requestPath(
  { segments, variables, verb }: Pattern['template'],
  valueOf: (variable: number) => string,
): string {
  const parts = segments.map((segment, index) => {
    if (segment.kind === 'literal') return encodeURIComponent(segment.text);
    const variable = variables.findIndex(({ start, end }) => start <= index && index < end);
    return variable < 0 ? 'VALUE' : valueOf(variable);
  });
  return `/${parts.join('/')}${verb === undefined ? '' : `:${encodeURIComponent(verb)}`}`;
}

/** Whether a request without arguments may be refused: a field, a choice or a rule of the message asks for something. */
function asksForMore(input: DescMessage): boolean {
  const { cel, celExpression, oneof } = getOption(input, messageRules);
  return (
    cel.length + celExpression.length > 0 ||
    oneof.some(({ required }) => required) ||
    input.oneofs.some((each) => getOption(each, oneofRules).required) ||
    input.fields.some(mayRefuseNothing)
  );
}

/** Rules that take a value of zero, an empty text or an empty list. */
const upperBounds = [
  'maxLen',
  'maxBytes',
  'maxItems',
  'maxPairs',
  'lte',
  'items',
  'keys',
  'values',
  'unique',
];

/** Whether the rules of a field may refuse it unset; yes for every rule that is not known to let it be. */
function mayRefuseNothing(field: DescField): boolean {
  if (!hasOption(field, fieldRules)) return false;
  const rules = toJson(FieldRulesSchema, getOption(field, fieldRules)) as Readonly<Record<string, unknown>>;
  return Object.values(rules).some(
    (rule) =>
      typeof rule !== 'object' ||
      rule === null ||
      Object.entries(rule).some(
        ([name, value]) => !upperBounds.includes(name) && !(name === 'gte' && Number(value) <= 0),
      ),
  );
}
