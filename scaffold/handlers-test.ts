import type { ServiceNames } from './names.ts';
import { generatedModule, type Runtime } from './places.ts';

/** The test of a new service's handlers: for jest in this checkout, and for Node's own runner in other projects. */
export function handlersTest(names: ServiceNames, runtime: Runtime): string {
  return runtime === 'source' ? forJest(names) : forNode(names);
}

function forJest(names: ServiceNames): string {
  const { camel, pascal, one, many } = names;
  return `import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { ${pascal}Service } from '${generatedModule(names, '../..')}';
import { implement, serviceClient } from '../runtime/index.ts';
import type { ServiceClient } from '../runtime/index.ts';
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

function forNode(names: ServiceNames): string {
  const { camel, pascal, one, many } = names;
  return `import { deepEqual, equal, partialDeepStrictEqual, rejects } from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { implement, serviceClient } from '@meshwright/runtime';
import type { ServiceClient } from '@meshwright/runtime';
import { startLocal } from '@meshwright/runtime/testing';
import type { Local } from '@meshwright/runtime/testing';
import { ${pascal}Service } from '${generatedModule(names, '../..')}';
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
  partialDeepStrictEqual(answer.${one.camel}, { id: 'b', name: 'the ${one.words} b' });
});

for (const [id, code, message] of [
  ['', status.INVALID_ARGUMENT, 'id: value is required'],
  ['d', status.NOT_FOUND, 'id: no ${one.words} "d"'],
] as const)
  test(\`Get${one.pascal} of "\${id}"\`, async () => {
    await rejects(client.get${one.pascal}({ id }, options), { code, message });
  });

test('List${many.pascal} pages through all of them once, in order', async () => {
  const first = await client.list${many.pascal}({ pageSize: 2 }, options);
  deepEqual(
    first.${many.camel}.map(({ id }) => id),
    ['a', 'b'],
  );
  const second = await client.list${many.pascal}({ pageSize: 2, pageToken: first.nextPageToken }, options);
  deepEqual(
    second.${many.camel}.map(({ id }) => id),
    ['c'],
  );
  equal(second.nextPageToken, '');
});
`;
}
