import { afterAll, describe, expect, test } from '@jest/globals';
import { toJson } from '@bufbuild/protobuf';
import type { DescService, Message } from '@bufbuild/protobuf';
import { comments, services } from '../../testing/shop.ts';
import { implement } from '../../runtime/handlers.ts';
import { start, stopAll } from '../../testing/gateway.ts';
import { bindingsOf } from '../binding/bindings.ts';
import { openApiOf } from './openapi.ts';
import { sampleOf } from './example.ts';
import type { Operation } from './types.ts';

afterAll(stopAll);

/** Answers each method with an empty message, or with none, and notes the requests that were let through to it. */
function noting(service: DescService, seen: Message[]) {
  const note = (request: Message) => {
    seen.push(request);
    return {};
  };
  async function* noteAll(requests: AsyncIterable<Message>) {
    for await (const request of requests) yield note(request);
  }
  const handlers = service.methods.map(({ localName, methodKind }) => {
    switch (methodKind) {
      case 'unary':
        return [localName, note];
      case 'server_streaming':
        return [
          localName,
          // eslint-disable-next-line @typescript-eslint/require-await -- handlers of streams are asynchronous, this one at once
          async function* (request: Message) {
            yield note(request);
          },
        ];
      case 'client_streaming':
        return [
          localName,
          async (requests: AsyncIterable<Message>) => {
            for await (const request of requests) note(request);
            return {};
          },
        ];
      case 'bidi_streaming':
        return [localName, noteAll];
    }
  });
  return implement(service, Object.fromEntries(handlers) as never);
}

describe.each([...services.values()])('the samples of $typeName', (service) => {
  const document = openApiOf({
    bindings: bindingsOf([service]),
    comments,
    bearer: false,
  });
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({
      id: operation.operationId,
      path,
      method,
      operation,
    })),
  );

  test.each(operations)('$id is a call that the service takes', async ({ method, path, operation }) => {
    const seen: Message[] = [];
    const { url } = await start({ implementation: noting(service, seen) });
    const sample = sampleOf(method.toUpperCase(), path, operation, document);
    const answer = await fetch(url + sample.target, {
      method: sample.method,
      ...(sample.body === undefined ? {} : { body: sample.body }),
      headers: sample.contentType === undefined ? {} : { 'content-type': sample.contentType },
    });
    expect([answer.status, await answer.text()]).toEqual([200, expect.not.stringContaining('"error"')]);
    expect(seen).toHaveLength(1);
    const [request] = seen;
    const input = service.methods.find(({ name }) => operation.operationId.split('.').includes(name))!.input;
    if (sample.body !== undefined) expect(toJson(input, request!)).toEqual(JSON.parse(sample.body));
  });
});
