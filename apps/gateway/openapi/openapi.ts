import type { DescService } from '@bufbuild/protobuf';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.js';
import type { Binding } from '../../../http-rule/binding.ts';
import { templateText } from '../../../http-rule/template-text.ts';
import { Comments } from './comments.ts';
import type { CommentTexts } from './comments.ts';
import { answeredTypes } from './answered.ts';
import { operationOf } from './operation.ts';
import type { Making } from './operation.ts';
import { headerParameters } from './parameters.ts';
import { openApiPath } from './path.ts';
import type { OpenApiPath } from './path.ts';
import { Schemas } from './schemas.ts';
import type { OpenApi, Operation, PathItem } from './types.ts';

export interface OpenApiOptions {
  readonly bindings: readonly Binding[];
  readonly comments: CommentTexts;
  /** Whether a proxy before the gateway looks at bearer tokens. */
  readonly bearer: boolean;
}

/** The methods a path item has a member for; others are in `x-additionalOperations`, as OpenAPI 3.2 has them. */
const known = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE']);

/**
 * Describes bindings as an OpenAPI document.
 * Source: https://spec.openapis.org/oas/v3.1.1.html
 */
export function openApiOf({ bindings, comments: texts, bearer }: OpenApiOptions): OpenApi {
  const comments = new Comments(texts);
  const schemas = new Schemas(comments, answeredTypes(bindings));
  const served = [...new Set(bindings.map(({ method }) => method.parent))];
  const status = schemas.ofAnswer(StatusSchema);
  const paths = pathsOf(bindings, { schemas, comments });
  return {
    openapi: '3.1.1',
    info: {
      title: served.map(({ name }) => name).join(', '),
      version: versionOf(served),
      description: about,
    },
    // Where the document is.
    servers: [{ url: '/' }],
    tags: served.map((service) => ({ name: service.typeName, ...comments.of(service) })),
    paths,
    components: {
      schemas: schemas.all,
      parameters: headerParameters,
      responses: {
        Error: { description: 'An error', content: { 'application/json': { schema: status } } },
      },
      ...(bearer ? { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } : {}),
    },
    // Which operations ask for a token is known to the proxy that looks at it.
    security: bearer ? [{}, { bearer: [] }] : [],
  };
}

const about =
  'gRPC over HTTP and JSON (ProtoJSON). 64-bit integers are strings. `authorization` and headers `grpc-metadata-NAME` ' +
  'go on to the service as metadata. An error is a google.rpc.Status with the HTTP status of its code.';

/** Versions of APIs are the last parts of their packages. */
function versionOf(services: readonly DescService[]): string {
  const versions = services.flatMap(({ file }) => /\.(v\d\w*)$/.exec(file.proto.package)?.[1] ?? []);
  return [...new Set(versions)].sort().join(', ') || 'v0';
}

interface Named extends OpenApiPath {
  readonly binding: Binding;
  readonly id: string;
}

function pathsOf(bindings: readonly Binding[], making: Making): Readonly<Record<string, PathItem>> {
  const shapes = Map.groupBy(named(bindings), ({ shape }) => shape);
  const items = [...shapes.values()].map((all) => pathItem(all, making));
  return Object.fromEntries(items.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Those that take any number of segments come last, as they do for requests. */
function named(bindings: readonly Binding[]): readonly Named[] {
  const byMethod = Map.groupBy(bindings, ({ method }) => method);
  const all = bindings.map((binding) => {
    const { parent, name } = binding.method;
    const index = byMethod.get(binding.method)?.indexOf(binding) ?? 0;
    const id = `${parent.typeName}.${name}${index === 0 ? '' : `.${index + 1}`}`;
    return { binding, id, ...openApiPath(binding.template) };
  });
  const rest = ({ parts }: Named) => Number(parts.some((part) => part.rest));
  return all.sort((a, b) => rest(a) - rest(b));
}

/** @param all - the bindings of one path, as far as OpenAPI can tell paths apart */
function pathItem(all: readonly Named[], making: Making): [path: string, item: PathItem] {
  const [first] = all;
  const byMethod = Map.groupBy(all, ({ binding }) => binding.httpMethod);
  const operations = [...byMethod.values()].flatMap(([shown, ...hidden]): [string, Operation][] => {
    if (shown === undefined) return [];
    // One path has one set of names, whatever the templates of its methods call them.
    const parts = shown.parts.map((part, index) => ({
      ...part,
      name: first?.parts[index]?.name ?? part.name,
    }));
    const notes = hidden.map(({ binding }) => hiddenNote(binding));
    return [[shown.binding.httpMethod, operationOf({ ...shown, parts, notes }, making)]];
  });
  const other = operations.filter(([method]) => !known.has(method));
  const members = operations.filter(([method]) => known.has(method));
  const item = Object.fromEntries(members.map(([method, operation]) => [method.toLowerCase(), operation]));
  return [
    first?.path ?? '',
    {
      ...item,
      ...(other.length === 0 ? {} : { 'x-additionalOperations': Object.fromEntries(other) }),
    } as PathItem,
  ];
}

function hiddenNote({ httpMethod, template, method }: Binding): string {
  return (
    `Of paths with more segments, \`${httpMethod} ${templateText(template)}\` leads to ` +
    `${method.parent.typeName}.${method.name}: OpenAPI has no way to tell the two apart.`
  );
}
