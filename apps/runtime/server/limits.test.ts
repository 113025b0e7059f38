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
import { silent, startLocal, unused } from '../../testing/local.ts';
import { openChannel, serviceClient } from '../client.ts';
import { implement } from '../handlers.ts';
import type { Handlers } from '../handlers.ts';
import type { ServerLimits } from './limits.ts';
import { halfOf } from './shares.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const all = { getProduct: unused, listProducts: unused, watchPrices: unused };

async function start(handlers: Partial<Handlers<typeof CatalogService>>, limits: Partial<ServerLimits>) {
  const local = await startLocal([implement(CatalogService, { ...all, ...handlers })], { limits });
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

function begin(
  session: ClientHttp2Session,
  method: string,
  metadata: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  const stream = session.request({
    ...metadata,
    ':method': 'POST',
    ':path': `/test.catalog.v1.CatalogService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  return stream.on('error', () => undefined).resume();
}

/** Settles when the server has heard of what was begun before on a connection. */
async function heard(session: ClientHttp2Session): Promise<void> {
  if (session.connecting) await once(session, 'connect');
  await new Promise((resolve) => session.ping(resolve));
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

  const tooMany = (whose: string) => ({
    code: status.RESOURCE_EXHAUSTED,
    message: `too many calls${whose} are in flight; call again later`,
  });

  test('calls in flight, of one caller half of them, but for health', async () => {
    const gate = Promise.withResolvers<undefined>();
    const { local, session } = await start(
      {
        listProducts: async () => {
          await gate.promise;
          return {};
        },
      },
      { calls: 4 },
    );
    const beginFrom = (address: string) => begin(connectFrom(local, address), 'ListProducts');
    const own = Array.from({ length: 2 }, () => begin(session, 'ListProducts'));
    await heard(session);
    // One that is refused takes nobody's place, also while its client does not end it.
    for (let made = 0; made < 5; made++) {
      expect(await statusOf(beginFrom('127.0.0.1'))).toEqual(tooMany(' of this client'));
    }
    const second = connectFrom(local, '127.0.0.2');
    const others = Array.from({ length: 2 }, () => begin(second, 'ListProducts'));
    await heard(second);
    expect(await statusOf(beginFrom('127.0.0.2'))).toEqual(tooMany(' of this client'));
    expect(await statusOf(beginFrom('127.0.0.3'))).toEqual(tooMany(''));
    const other = serviceClient(CatalogService, local.channel);
    expect(await serviceClient(Health, local.channel).check({}, options)).toMatchObject({ status: 1 });
    for (const stream of [...own, ...others]) stream.close();
    gate.resolve(undefined);
    let refusal: unknown;
    do {
      refusal = await other.getProduct({ id: 'a' }, options).catch((error: unknown) => error);
    } while ((refusal as { code: status }).code === status.RESOURCE_EXHAUSTED);
    expect(refusal).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  describe('of a caller that names clients, each has half of what that may have', () => {
    const from = (workload: string, addresses: string) => ({
      'x-forwarded-client-cert': `By=spiffe://shop.example/a;URI=spiffe://shop.example/ns/${workload}`,
      'x-forwarded-for': addresses,
    });

    test('in calls, and by names that it makes up no more', async () => {
      const { local } = await start({ listProducts: () => new Promise(() => undefined) }, { calls: 8 });
      const call = (workload: string, addresses: string) =>
        begin(connectFrom(local, '127.0.0.1'), 'ListProducts', from(workload, addresses));
      const open = async (workload: string, addresses: string) => {
        const session = connectFrom(local, '127.0.0.1');
        begin(session, 'ListProducts', from(workload, addresses));
        await heard(session);
      };
      // What a client writes itself stands before what the gateway adds.
      for (const made of ['203.0.113.7', '203.0.113.8']) await open('gateway', `${made}, 198.51.100.1`);
      expect(await statusOf(call('gateway', '203.0.113.9, 198.51.100.1'))).toEqual(
        tooMany(' of this client'),
      );
      for (const made of [1, 2]) await open('gateway', `2001:db8::${made}`);
      expect(await statusOf(call('gateway', '2001:db8::3'))).toEqual(tooMany(' of this client'));
      expect(await statusOf(call('gateway', '198.51.100.2'))).toEqual(tooMany(' of this client'));
      for (const made of [1, 2, 3, 4]) await open('orders', `198.51.100.${made}`);
      expect(await statusOf(call('orders', '198.51.100.5'))).toEqual(tooMany(' of this client'));
      expect(await statusOf(call('billing', '198.51.100.1'))).toEqual(tooMany(''));
    });

    test('in bytes, and at least one message', async () => {
      const limits = { heldBytes: 2 ** 20, requestBytes: 2 ** 18 };
      const { session } = await start({}, limits);
      const part = framed(Buffer.alloc(2 ** 18)).subarray(0, 200_000);
      const half = (address: string) => {
        const stream = begin(session, 'GetProduct', from('gateway', address));
        stream.write(part);
        return stream;
      };
      half('198.51.100.1');
      expect(await statusOf(half('198.51.100.1'))).toEqual(overShare);
      half('198.51.100.2');
      // What is left of the caller's.
      expect(await statusOf(half('198.51.100.3'))).toEqual(overShare);
      expect(halfOf(halfOf(2 ** 19))).toBeLessThan(200_000);
    });
  });

  test('and a client that is refused again and again fills no log', async () => {
    const lines: unknown[] = [];
    const log = { ...silent, warn: (...line: unknown[]) => lines.push(line) } as unknown as typeof silent;
    const local = await startLocal(
      [implement(CatalogService, { ...all, listProducts: () => new Promise(() => undefined) })],
      {
        limits: { calls: 1 },
        log,
      },
    );
    cleanups.push(() => local.stop());
    const call = () => begin(connectFrom(local, '127.0.0.2'), 'ListProducts');
    const first = connectFrom(local, '127.0.0.2');
    begin(first, 'ListProducts');
    await heard(first);
    for (let made = 0; made < 20; made++) await statusOf(call());
    expect(lines).toEqual([
      [
        { calls: 1, client: '127.0.0.2', refused: 1 },
        'calls are refused: too many of this client are in flight',
      ],
    ]);
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
