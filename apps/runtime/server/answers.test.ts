import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.js';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { unused } from '../../testing/local.ts';
import { startWatched } from '../../testing/watched.ts';
import { serviceClient } from '../client.ts';
import { implement } from '../handlers.ts';
import type { CallContext, Handlers } from '../handlers.ts';
import { StatusError, detail, findDetail, statusError } from '../status.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(handlers: Partial<Handlers<typeof CatalogService>>) {
  const all = { getProduct: unused, listProducts: unused, watchPrices: unused, ...handlers };
  const { local, ...told } = await startWatched(implement(CatalogService, all));
  cleanups.push(() => local.stop());
  const session = connect(`http://${local.address}`);
  cleanups.push(() => {
    session.destroy();
  });
  return { client: serviceClient(CatalogService, local.channel), session, ...told };
}

const options = { timeoutMs: 20_000 };
const long = 'x'.repeat(100_000);

/** Each block of headers that answers a call. */
async function blocksOf(session: ClientHttp2Session, method: string): Promise<IncomingHttpHeaders[]> {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/test.catalog.v1.CatalogService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const blocks: IncomingHttpHeaders[] = [];
  for (const event of ['response', 'trailers'])
    stream.on(event, (headers: IncomingHttpHeaders) => blocks.push(headers));
  stream.resume();
  // An id, which is required.
  stream.end(Buffer.from([0, 0, 0, 0, 3, 10, 1, 97]));
  await once(stream, 'close');
  return blocks;
}

/** Source: RFC 9113, section 6.5.2. */
const sizeOf = (block: IncomingHttpHeaders) =>
  Object.entries(block).reduce((sum, [name, value]) => sum + name.length + String(value).length + 32, 0);

/** 20 other calls on the same connection, which wait until the test ends them. */
function others() {
  const gate = Promise.withResolvers<undefined>();
  return {
    listProducts: async () => {
      await gate.promise;
      return {};
    },
    finish: async (calls: readonly Promise<unknown>[]) => {
      gate.resolve(undefined);
      expect(await Promise.all(calls)).toHaveLength(20);
    },
  };
}

describe('B1: an error is cut to what headers may hold, and ends one call', () => {
  const detailed = (message: string, sizes: readonly number[], metadata = new Metadata()) =>
    statusError(
      status.NOT_FOUND,
      message,
      sizes.map((size) => detail(ErrorInfoSchema, { reason: 'x'.repeat(size), domain: 'shop.example' })),
      metadata,
    );
  const large = new Metadata();
  for (let at = 0; at < 300; at += 1) large.add(`x-${at}`, 'y'.repeat(400));

  test.each<[string, StatusError, string, readonly string[], number]>([
    ['message', statusError(status.NOT_FOUND, long), 'x'.repeat(2_039) + '…', ['grpc-message'], -1],
    [
      'message of many bytes',
      statusError(status.NOT_FOUND, '😈'.repeat(3_000)),
      '😈'.repeat(169) + '…',
      ['grpc-message'],
      -1,
    ],
    ['details', detailed('gone', [100_000]), 'gone', ['grpc-status-details-bin'], -1],
    ['several details', detailed('gone', [10, 20, 100_000]), 'gone', ['grpc-status-details-bin'], 10],
    [
      'message and details',
      detailed(long, [10, 100_000]),
      'x'.repeat(2_039) + '…',
      ['grpc-message', 'grpc-status-details-bin'],
      10,
    ],
    [
      'details beside a long message',
      detailed('x'.repeat(7_000), [10]),
      'x'.repeat(2_039) + '…',
      ['grpc-message', 'grpc-status-details-bin'],
      10,
    ],
  ])('%s', async (_, error, message, left, reason) => {
    const { listProducts, finish } = others();
    const { client, session, outcomes, lines } = await start({
      listProducts,
      getProduct: () => {
        throw error;
      },
    });
    const calls = Array.from({ length: 20 }, () => client.listProducts({}, options));
    const failed = await client
      .getProduct({ id: 'a' }, options)
      .catch((thrown: unknown) => thrown as StatusError);
    expect(failed).toMatchObject({ code: status.NOT_FOUND, message });
    expect((failed as StatusError).metadata.get('x-served-by')).toEqual(['test/pod']);
    expect(findDetail(failed as StatusError, ErrorInfoSchema)?.reason.length ?? -1).toBe(reason);
    expect(outcomes).toMatchObject([{ code: status.NOT_FOUND }]);
    expect(lines).toMatchObject([
      { level: 40, code: 'NOT_FOUND', left, msg: 'an error was cut to the size that headers may have' },
    ]);
    const blocks = await blocksOf(session, 'GetProduct');
    expect(blocks).toHaveLength(1);
    expect(sizeOf(blocks[0]!)).toBeLessThanOrEqual(8_192);
    await finish(calls);
  });

  test('metadata: as much as there is room for', async () => {
    const { client, session, lines } = await start({
      getProduct: () => {
        throw statusError(status.ABORTED, 'again', [], large);
      },
    });
    const failed = client.getProduct({ id: 'a' }, options);
    await expect(failed).rejects.toMatchObject({ code: status.ABORTED, message: 'again' });
    const [block] = await blocksOf(session, 'GetProduct');
    expect(sizeOf(block!)).toBeLessThanOrEqual(8_192);
    expect(block).toMatchObject({
      'x-0': 'y'.repeat(400),
      'x-16': 'y'.repeat(400),
      'x-served-by': 'test/pod',
    });
    expect((lines[0] as { left: string[] }).left).toHaveLength(300 - 17);
  });

  test('of a stream: before and after its first answer', async () => {
    const { client } = await start({
      watchPrices: async function* ({ productIds }) {
        if (productIds.length > 0) yield {};
        await Promise.resolve();
        throw detailed(long, [100_000]);
      },
    });
    for (const productIds of [[], ['p-1']]) {
      const all = (async () => {
        for await (const _answer of client.watchPrices({ productIds })) expect(_answer).toBeDefined();
      })();
      await expect(all).rejects.toMatchObject({ code: status.NOT_FOUND, message: 'x'.repeat(2_039) + '…' });
    }
  });

  test('of an answer that is OK, its header and trailer', async () => {
    const { client, session, lines } = await start({
      getProduct: (_, { header, trailer }) => {
        for (const metadata of [header, trailer]) metadata.merge(large);
        return {};
      },
    });
    expect(await client.getProduct({ id: 'a' }, options)).toBeDefined();
    expect(lines).toMatchObject([
      { level: 40, msg: 'some metadata of an answer was left out' },
      { level: 40, msg: 'some metadata of an answer was left out' },
    ]);
    for (const block of await blocksOf(session, 'GetProduct'))
      expect(sizeOf(block)).toBeLessThanOrEqual(8_192);
  });

  test('metadata of a request that is too large fails that call alone', async () => {
    const { listProducts, finish } = others();
    const { client } = await start({ listProducts, getProduct: () => ({}) });
    const calls = Array.from({ length: 20 }, () => client.listProducts({}, options));
    const metadata = new Metadata();
    metadata.set('x-long', long);
    const refused = {
      code: status.RESOURCE_EXHAUSTED,
      message: 'metadata: 100038 bytes; allowed at most 57344',
    };
    await expect(client.getProduct({ id: 'a' }, { ...options, metadata })).rejects.toMatchObject(refused);
    await expect(client.watchPrices({}, { metadata }).next()).rejects.toMatchObject(refused);
    await finish(calls);
  });
});

describe('A1: metadata of a handler that HTTP/2 does not take fails nothing', () => {
  const odd = ({ header, trailer }: Pick<CallContext, 'header' | 'trailer'>) => {
    for (const metadata of [header, trailer]) {
      for (const name of [
        'connection',
        'te',
        'upgrade',
        'content-length',
        'content-type',
        'grpc-status',
        ':path',
      ]) {
        metadata.set(name, '7');
      }
      for (const name of ['date', 'etag', 'x-content-type-options', 'x-two']) {
        metadata.add(name, 'a');
        metadata.add(name, 'b');
      }
      metadata.set('x-space', ' a ');
    }
  };

  test('of an answer, of an error, and of a stream', async () => {
    const { client, session } = await start({
      getProduct: (_, context) => {
        odd(context);
        return {};
      },
      listProducts: (_, context) => {
        odd(context);
        throw statusError(status.ABORTED, 'again');
      },
      watchPrices: async function* (_, context) {
        odd(context);
        yield {};
        await Promise.resolve();
      },
    });
    expect(await client.getProduct({ id: 'a' }, options)).toBeDefined();
    await expect(client.listProducts({}, options)).rejects.toMatchObject({
      code: status.ABORTED,
      message: 'again',
    });
    expect((await client.watchPrices({}).next()).value).toBeDefined();
    const [head, trailers] = await blocksOf(session, 'GetProduct');
    const sent = { etag: 'a, b', 'x-two': 'a, b', 'x-space': 'a' };
    expect(head).toMatchObject({ 'content-type': 'application/grpc+proto', ...sent });
    expect(trailers).toMatchObject({ 'grpc-status': '0', ...sent });
  });

  test.each([
    ['OK', status.OK],
    ['a code that gRPC does not have', JSON.parse('99') as status],
    ['no number', 'x' as unknown as status],
  ])('an error that says %s is INTERNAL', async (_, code) => {
    const { client, outcomes } = await start({
      getProduct: () => {
        throw new StatusError(code, 'odd');
      },
    });
    await expect(client.getProduct({ id: 'a' }, options)).rejects.toMatchObject({
      code: status.INTERNAL,
      message: 'internal error',
    });
    expect(outcomes).toMatchObject([{ code: status.INTERNAL }]);
  });
});
