import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { createFileRegistry, fromJson } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { startWatched } from '../../testing/watched.ts';
import { serviceClient } from '../client.ts';
import type { CallOptions } from '../client.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A service of proto2, whose answer has a required field, and numbers. */
const file = createFileRegistry(
  fromJson(FileDescriptorSetSchema, {
    file: [
      {
        name: 'test/required.proto',
        package: 'test',
        syntax: 'proto2',
        messageType: [
          { name: 'Question' },
          {
            name: 'Answer',
            field: [
              { name: 'needed', number: 1, type: 'TYPE_STRING', label: 'LABEL_REQUIRED' },
              { name: 'count', number: 2, type: 'TYPE_INT32', label: 'LABEL_OPTIONAL' },
            ],
          },
        ],
        service: [
          {
            name: 'Required',
            method: [
              { name: 'One', inputType: '.test.Question', outputType: '.test.Answer' },
              {
                name: 'Many',
                inputType: '.test.Question',
                outputType: '.test.Answer',
                serverStreaming: true,
              },
            ],
          },
        ],
      },
    ],
  }),
);

describe('B2: an answer that has no encoding is INTERNAL everywhere', () => {
  test.each<[string, object, string]>([
    ['too large', { needed: 'a', count: 3_000_000_000 }, 'test.Answer.count'],
    ['no whole number', { needed: 'a', count: 1.5 }, 'test.Answer.count'],
    ['of another type', { needed: 'a', count: 'many' }, 'test.Answer.count'],
    ['required and not there', {}, 'test.Answer.needed'],
  ])('a field that is %s', async (_, answer, field) => {
    const service = file.getService('test.Required')!;
    const handlers = {
      one: () => answer,
      many: async function* () {
        yield { needed: 'a' };
        yield await Promise.resolve(answer);
      },
    };
    const { local, outcomes, lines } = await startWatched({ service, handlers });
    cleanups.push(() => local.stop());
    const client = serviceClient(service, local.channel) as unknown as {
      one: (request: object, options: CallOptions) => Promise<unknown>;
      many: (request: object) => AsyncGenerator;
    };
    const refused = { code: status.INTERNAL, message: 'internal error' };
    await expect(client.one({}, { timeoutMs: 20_000 })).rejects.toMatchObject(refused);
    const all = (async () => {
      for await (const each of client.many({})) expect(each).toMatchObject({ needed: 'a' });
    })();
    await expect(all).rejects.toMatchObject(refused);
    expect(outcomes).toMatchObject([{ code: status.INTERNAL }, { code: status.INTERNAL }]);
    expect(lines).toMatchObject(
      ['One', 'Many'].map((name) => ({
        level: 50,
        msg: 'call failed',
        method: `test.Required/${name}`,
        err: { message: expect.stringContaining(field) },
      })),
    );
  });
});
