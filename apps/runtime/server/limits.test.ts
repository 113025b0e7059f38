import { once } from 'node:events';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { Health } from '../../../gen/grpc/health/v1/health_pb.js';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { framed } from '../../gateway/transport/testing/scripted-server.ts';
import { startLocal, unused } from '../../testing/local.ts';
import { openChannel, serviceClient } from '../client.ts';
import { implement } from '../handlers.ts';
import type { Handlers } from '../handlers.ts';
import type { ServerLimits } from './limits.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(handlers: Partial<Handlers<typeof CatalogService>>, limits: Partial<ServerLimits>) {
  const all = { getProduct: unused, listProducts: unused, watchPrices: unused, ...handlers };
  const local = await startLocal([implement(CatalogService, all)], { limits });
  cleanups.push(() => local.stop());
  const session = connect(`http://${local.address}`);
  cleanups.push(() => {
    session.destroy();
  });
  return { local, session, client: serviceClient(CatalogService, local.channel) };
}

const options = { timeoutMs: 20_000 };

/** A connection of another client: from another address of the loopback. */
function connectFrom({ address }: { readonly address: string }, localAddress: string): ClientHttp2Session {
  const [host, port] = address.split(':');
  const createConnection = () => connectSocket({ ...(host && { host }), port: Number(port), localAddress });
  const session = connect(`http://${address}`, { createConnection });
  cleanups.push(() => {
    session.destroy();
  });
  return session;
}

function begin(session: ClientHttp2Session, method: string): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/test.catalog.v1.CatalogService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  return stream.on('error', () => undefined).resume();
}

/** The status of Trailers-Only. */
async function statusOf(stream: ClientHttp2Stream) {
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  return { code: Number(headers['grpc-status']), message: decodeURI(String(headers['grpc-message'])) };
}

describe('B5: fields that a message does not have are not kept', () => {
  // An id, and field 1000 many times.
  const bytes = Buffer.concat(
    [Buffer.from([10, 1, 97]), ...Array.from({ length: 1_000 }, () => [0xc0, 0x3e, 1])].map((part) =>
      Buffer.from(part),
    ),
  );

  test('of a request', async () => {
    const seen: object[] = [];
    const { session } = await start(
      {
        getProduct: (request) => {
          seen.push(request);
          return {};
        },
      },
      {},
    );
    const stream = begin(session, 'GetProduct');
    stream.end(framed(bytes));
    await once(stream, 'close');
    expect(seen).toEqual([{ $typeName: 'test.catalog.v1.GetProductRequest', id: 'a' }]);
  });
});

describe('B5: what a server holds is bounded', () => {
  const refused = {
    code: status.RESOURCE_EXHAUSTED,
    message: 'the server holds too many bytes of unfinished messages; call again later',
  };

  const overShare = {
    code: status.RESOURCE_EXHAUSTED,
    message: 'the server holds too many bytes of unfinished messages of this client; call again later',
  };

  test('messages of which a part has come', async () => {
    const limits = { heldBytes: 2 ** 20, requestBytes: 2 ** 20 };
    const { local, session, client } = await start({ listProducts: () => ({}) }, limits);
    const sessions = [session, ...['127.0.0.2', '127.0.0.3'].map((address) => connectFrom(local, address))];
    const part = framed(Buffer.alloc(2 ** 20)).subarray(0, 400_000);
    const halves = sessions.slice(0, 2).map((each) => begin(each, 'GetProduct'));
    for (const half of halves) await new Promise((resolve) => half.write(part, resolve));
    const own = begin(session, 'GetProduct');
    own.write(part);
    expect(await statusOf(own)).toEqual(overShare);
    const third = begin(sessions[2]!, 'GetProduct');
    third.write(part);
    expect(await statusOf(third)).toEqual(refused);
    // Whole messages go through.
    expect(await client.listProducts({}, options)).toBeDefined();
    for (const half of [...halves, own, third]) {
      half.close();
      await once(half, 'close');
    }
    // When the server has heard of it.
    const whole = framed(Buffer.concat([Buffer.from([0xc2, 0x3e, 0x80, 0x80, 0x1c]), Buffer.alloc(458_752)]));
    const ends: unknown[] = [];
    do {
      const again = begin(sessions[2]!, 'GetProduct');
      again.end(whole);
      ends.push(await statusOf(again));
    } while ([refused, overShare].some((each) => isDeepStrictEqual(ends.at(-1), each)));
    expect(ends.at(-1)).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test('calls in flight, but for health', async () => {
    const gate = Promise.withResolvers<undefined>();
    const { local, session } = await start(
      {
        listProducts: async () => {
          await gate.promise;
          return {};
        },
      },
      { calls: 3 },
    );
    const half = Array.from({ length: 3 }, () => begin(session, 'ListProducts'));
    half[0]!.write(Buffer.from([0]));
    const other = serviceClient(CatalogService, local.channel);
    const full = {
      code: status.RESOURCE_EXHAUSTED,
      message: 'too many calls are in flight; call again later',
    };
    let refusal: unknown;
    do {
      refusal = await other.getProduct({ id: 'a' }, options).catch((error: unknown) => error);
    } while ((refusal as { code: status }).code === status.UNIMPLEMENTED);
    expect(refusal).toMatchObject(full);
    expect(await serviceClient(Health, local.channel).check({}, options)).toMatchObject({ status: 1 });
    for (const stream of half) stream.close();
    gate.resolve(undefined);
    do {
      refusal = await other.getProduct({ id: 'a' }, options).catch((error: unknown) => error);
    } while ((refusal as { code: status }).code === status.RESOURCE_EXHAUSTED);
    expect(refusal).toMatchObject({ code: status.UNIMPLEMENTED });
  });
});

describe('B6: limits of messages can be set, and the status says which one was met', () => {
  test.each([
    [
      'a request',
      'x'.repeat(1_000),
      { requestBytes: 1_000 },
      'a message of 1003 bytes was received; allowed at most 1000',
    ],
    [
      'an answer',
      'x',
      { answerBytes: 1_000 },
      'the answer has a message of 5006 bytes; allowed at most 1000',
    ],
  ])('%s', async (_, id, limits, message) => {
    const { client } = await start({ getProduct: () => ({ product: { id: 'x'.repeat(5_000) } }) }, limits);
    await expect(client.getProduct({ id }, options)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      message,
    });
  });

  test('without one a request may be as long as what one client may have held has room for', async () => {
    const { client } = await start({ getProduct: () => ({}) }, { heldBytes: 4 * 2 ** 20 });
    // The id's field has a head of four bytes.
    const call = (bytes: number) => client.getProduct({ id: 'x'.repeat(bytes - 4) }, options);
    await expect(call(2_097_147)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(call(2_097_148)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      message: 'a message of 2097148 bytes was received; allowed at most 2097147',
    });
  });

  test('more than 4 MiB, on both sides', async () => {
    const { local } = await start(
      { getProduct: () => ({ product: { id: 'x'.repeat(5_000_000) } }) },
      { answerBytes: 6_000_000 },
    );
    const message = 'a message of 5000010 bytes was received; allowed at most 4194304';
    await expect(
      serviceClient(CatalogService, local.channel).getProduct({ id: 'a' }, options),
    ).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED, message });
    const channel = openChannel(local.address, 6_000_000);
    cleanups.push(() => {
      channel.close();
    });
    const { product } = await serviceClient(CatalogService, channel).getProduct({ id: 'a' }, options);
    expect(product?.id).toHaveLength(5_000_000);
  });
});
