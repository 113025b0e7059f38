import { expect, test } from '@jest/globals';
import { field, library } from '../../../http-rule/testing/library.ts';
import { bindingsOf } from '../binding/bindings.ts';
import { exampleOf, parametersOf } from './example.ts';
import { openApiOf } from './openapi.ts';
import { pageOf } from './page.ts';
import type { Operation } from './types.ts';

const count = 16;
const numbers = Array.from({ length: count }, (_, index) => index);

/** Messages each of which holds every one of them: ways through them are as many as a number of 13 digits. */
function documentOf(textual: boolean) {
  const messages = numbers.map((index) => ({
    name: `M${index}`,
    field: [
      ...(textual ? [field(100, 'name', 'string')] : []),
      ...numbers.map((other) => field(other + 1, `f${other}`, `.test.M${other}`)),
    ],
  }));
  const { service } = library(
    {
      Get: { pattern: { case: 'get', value: '/v1' } },
      Post: { pattern: { case: 'post', value: '/v1' }, body: '*' },
    },
    { message: 'M0', messages },
  );
  return openApiOf({ bindings: bindingsOf([service]), comments: {}, bearer: false });
}

test.each([true, false])('A7: messages that all hold each other end, with texts in them: %s', (textual) => {
  const document = documentOf(textual);
  const { get, post } = document.paths['/v1'] as Record<string, Operation>;
  const names = parametersOf(get!, document).filter((each) => each.in === 'query');
  expect(names.length > 0).toBe(textual);
  expect(names.length).toBeLessThanOrEqual(200);
  expect(get!.description).toContain(
    'Fields of messages in messages, however deep, are query parameters as well',
  );
  const { schema } = post!.requestBody!.content['application/json']!;
  const sample = JSON.stringify(exampleOf(schema, document));
  expect(sample.length).toBeGreaterThan(100);
  expect(sample.length).toBeLessThan(50_000);
  expect(pageOf(document).length).toBeLessThan(500_000);
});
