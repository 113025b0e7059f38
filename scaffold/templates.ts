import { handlersTest } from './handlers-test.ts';
import type { ServiceNames } from './names.ts';
import { generatedModule, protoFile, type Runtime } from './places.ts';

/** A file to write, its path relative to the project's root. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

/** The files of a new service: a proto with a unary and a paged method, and an app that serves it from memory. */
export function serviceFiles(names: ServiceNames, runtime: Runtime): readonly ProjectFile[] {
  const { name } = names;
  const from = runtime === 'source' ? '../runtime/index.ts' : '@meshwright/runtime';
  return [
    { path: protoFile(names), text: proto(names) },
    { path: `apps/${name}/config.yml`, text: config(names) },
    { path: `apps/${name}/handlers.test.ts`, text: handlersTest(names, runtime) },
    { path: `apps/${name}/handlers.ts`, text: handlers(names, from) },
    { path: `apps/${name}/main.ts`, text: main(names, from) },
    { path: `apps/${name}/store.ts`, text: store(names) },
  ];
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function proto({ protoPackage, snake, pascal, one, many }: ServiceNames): string {
  return `syntax = "proto3";

package ${protoPackage}.${snake}.v1;

import "buf/validate/validate.proto";
import "google/api/annotations.proto";

// The ${many.words}.
service ${pascal}Service {
  // The ${one.words} with this id. NOT_FOUND when there is none.
  rpc Get${one.pascal}(Get${one.pascal}Request) returns (Get${one.pascal}Response) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = {get: "/v1/${many.kebab}/{id}"};
  }

  // All ${many.words}, ordered by id, a page at a time (AIP-158).
  rpc List${many.pascal}(List${many.pascal}Request) returns (List${many.pascal}Response) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = {get: "/v1/${many.kebab}"};
  }
}

message ${one.pascal} {
  string id = 1;
  string name = 2;
}

message Get${one.pascal}Request {
  string id = 1 [
    (buf.validate.field).required = true,
    (buf.validate.field).string.max_len = 100
  ];
}

message Get${one.pascal}Response {
  ${one.pascal} ${one.snake} = 1;
}

message List${many.pascal}Request {
  // At most this many; 0 means 50, more than 200 is read as 200.
  int32 page_size = 1 [(buf.validate.field).int32.gte = 0];
  // The next_page_token of the page before; empty for the first page.
  string page_token = 2 [(buf.validate.field).string.max_len = 1000];
}

message List${many.pascal}Response {
  repeated ${one.pascal} ${many.snake} = 1;
  // Empty on the last page.
  string next_page_token = 2;
}
`;
}

function config({ name, protoPackage, typeName, many }: ServiceNames): string {
  return `# What the constructs and the image builder need to know about this app (docs/services.md of meshwright).
name: ${name}
services:
  - ${typeName}
ports:
  grpc: 50051
image:
  version: 0.1.0
  title: ${protoPackage} ${name}
  description: ${capital(many.words)}, over gRPC
resources:
  requests: { cpu: 50m, memory: 96Mi }
  limits: { memory: 256Mi }
# One, because it keeps its data in memory; with a database, two or more.
replicas: 1
`;
}

function main(names: ServiceNames, from: string): string {
  const { name, camel, pascal, one } = names;
  return `import { ${pascal}Service } from '${generatedModule(names, '../..')}';
import { implement, runService } from '${from}';
import { ${camel}Handlers } from './handlers.ts';
import { memory${pascal} } from './store.ts';

const sample = [{ id: '${one.kebab}-1', name: 'The first ${one.words}' }];

await runService('${name}', {}, () => [implement(${pascal}Service, ${camel}Handlers(memory${pascal}(sample)))]);
`;
}

function handlers(names: ServiceNames, from: string): string {
  const { camel, pascal, one, many } = names;
  return `import { status } from '@grpc/grpc-js';
import { List${many.pascal}RequestSchema } from '${generatedModule(names, '../..')}';
import type { ${pascal}Service } from '${generatedModule(names, '../..')}';
import { readPage, statusError } from '${from}';
import type { Handlers } from '${from}';
import type { ${pascal}Store } from './store.ts';

/** ${pascal}Service over a store. */
export function ${camel}Handlers(store: ${pascal}Store): Handlers<typeof ${pascal}Service> {
  return {
    get${one.pascal}: async ({ id }) => {
      const found = await store.get(id);
      if (found === undefined) throw statusError(status.NOT_FOUND, \`id: no ${one.words} \${JSON.stringify(id)}\`);
      return { ${one.camel}: found };
    },

    list${many.pascal}: async (request) => {
      const { size, after, tokenAfter } = readPage(List${many.pascal}RequestSchema, request);
      // Ask for one more than requested, to know whether there is a next page.
      const found = await store.list(after, size + 1);
      const page = found.slice(0, size);
      const last = found.length > size ? page.at(-1) : undefined;
      return { ${many.camel}: page, nextPageToken: last === undefined ? '' : tokenAfter(last.id) };
    },
  };
}
`;
}

function store({ pascal, one, many }: ServiceNames): string {
  return `/** One ${one.words}, as it is stored. */
export interface Stored${one.pascal} {
  readonly id: string;
  readonly name: string;
}

/** What the service needs from its storage. A real database would implement this interface. */
export interface ${pascal}Store {
  get(id: string): Promise<Stored${one.pascal} | undefined>;
  /** At most \`limit\` with ids after the given one, ordered by id. */
  list(after: string | undefined, limit: number): Promise<Stored${one.pascal}[]>;
}

/** Keeps ${many.words} in memory. */
export function memory${pascal}(kept: readonly Stored${one.pascal}[]): ${pascal}Store {
  const byId = new Map(kept.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((each) => [each.id, each]));
  return {
    get: (id) => Promise.resolve(byId.get(id)),
    list: (after, limit) =>
      Promise.resolve([...byId.values()].filter(({ id }) => after === undefined || id > after).slice(0, limit)),
  };
}
`;
}
