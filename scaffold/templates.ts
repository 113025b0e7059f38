import type { ServiceNames } from './names.ts';

/** A file to write, its path relative to the project's root. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

/** The files of a new service: a proto with a unary and a paged method, and an app that serves it from memory. */
export function serviceFiles(names: ServiceNames): readonly ProjectFile[] {
  const { name, snake } = names;
  return [
    { path: `proto/shop/${snake}/v1/${snake}.proto`, text: proto(names) },
    { path: `apps/${name}/config.yml`, text: config(names) },
    { path: `apps/${name}/handlers.test.ts`, text: test(names) },
    { path: `apps/${name}/handlers.ts`, text: handlers(names) },
    { path: `apps/${name}/main.ts`, text: main(names) },
    { path: `apps/${name}/store.ts`, text: store(names) },
  ];
}

/**
 * Module of the generated code.
 * @param up - way from the importing file's folder to the root: `.` or `../..`
 */
export function generatedModule({ snake }: ServiceNames, up: string): string {
  return `${up}/gen/shop/${snake}/v1/${snake}_pb.js`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function proto({ snake, pascal, one, many }: ServiceNames): string {
  return `syntax = "proto3";

package shop.${snake}.v1;

import "buf/validate/validate.proto";
import "google/api/annotations.proto";

// The ${many.words} of the shop.
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

function config({ name, typeName, many }: ServiceNames): string {
  return `# What the charts and the image builder need to know about this app (apps/config/app-config.ts).
name: ${name}
services:
  - ${typeName}
ports:
  grpc: 50051
image:
  version: 0.1.0
  title: shop ${name}
  description: ${capital(many.words)}, over gRPC
resources:
  requests: { cpu: 50m, memory: 96Mi }
  limits: { memory: 256Mi }
# One, because it keeps its data in memory; with a database, two or more.
replicas: 1
`;
}

function main(names: ServiceNames): string {
  const { name, camel, pascal, one } = names;
  return `import { ${pascal}Service } from '${generatedModule(names, '../..')}';
import { implement } from '../runtime/handlers.ts';
import { runService } from '../runtime/run.ts';
import { ${camel}Handlers } from './handlers.ts';
import { memory${pascal} } from './store.ts';

const sample = [{ id: '${one.kebab}-1', name: 'The first ${one.words}' }];

await runService('${name}', {}, () => [implement(${pascal}Service, ${camel}Handlers(memory${pascal}(sample)))]);
`;
}

function handlers(names: ServiceNames): string {
  const { camel, pascal, one, many } = names;
  return `import { status } from '@grpc/grpc-js';
import { List${many.pascal}RequestSchema } from '${generatedModule(names, '../..')}';
import type { ${pascal}Service } from '${generatedModule(names, '../..')}';
import type { Handlers } from '../runtime/handlers.ts';
import { readPage } from '../runtime/paging.ts';
import { statusError } from '../runtime/status.ts';
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

function test(names: ServiceNames): string {
  const { camel, pascal, one, many } = names;
  return `import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { ${pascal}Service } from '${generatedModule(names, '../..')}';
import { serviceClient } from '../runtime/client.ts';
import type { ServiceClient } from '../runtime/client.ts';
import { implement } from '../runtime/handlers.ts';
import { startLocal } from '../testing/local.ts';
import type { Local } from '../testing/local.ts';
import { ${camel}Handlers } from './handlers.ts';
import { memory${pascal} } from './store.ts';

const options = { timeoutMs: 2_000 };
const kept = ['a', 'b', 'c'].map((id) => ({ id, name: \`the ${one.words} \${id}\` }));
let local: Local;
let client: ServiceClient<typeof ${pascal}Service>;

beforeEach(async () => {
  local = await startLocal([implement(${pascal}Service, ${camel}Handlers(memory${pascal}(kept)))]);
  client = serviceClient(${pascal}Service, local.channel);
});
afterEach(() => local.stop());

test('Get${one.pascal}', async () => {
  const answer = await client.get${one.pascal}({ id: 'b' }, options);
  expect(answer).toMatchObject({ ${one.camel}: { id: 'b', name: 'the ${one.words} b' } });
});

test.each([
  ['', status.INVALID_ARGUMENT, 'id: value is required'],
  ['d', status.NOT_FOUND, 'id: no ${one.words} "d"'],
])('Get${one.pascal} of %j', async (id, code, message) => {
  await expect(client.get${one.pascal}({ id }, options)).rejects.toMatchObject({ code, message });
});

test('List${many.pascal} pages through all of them once, in order', async () => {
  const first = await client.list${many.pascal}({ pageSize: 2 }, options);
  expect(first.${many.camel}.map(({ id }) => id)).toEqual(['a', 'b']);
  const second = await client.list${many.pascal}({ pageSize: 2, pageToken: first.nextPageToken }, options);
  expect(second.${many.camel}.map(({ id }) => id)).toEqual(['c']);
  expect(second.nextPageToken).toBe('');
});
`;
}
