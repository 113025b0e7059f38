import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { create, toBinary } from '@bufbuild/protobuf';
import type { DescMethod, MessageInitShape } from '@bufbuild/protobuf';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { framed, startPeer } from '../gateway/transport/testing/scripted-server.ts';
import { startLocal, unused } from '../testing/local.ts';
import { openChannel, serviceClient } from './client.ts';
import { implement } from './handlers.ts';
import type { Handlers } from './handlers.ts';
import type { Interceptor, Outcome } from './server/interceptors.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server, and what its interceptors were told of its calls. */
async function startBoth(
  stock: Partial<Handlers<typeof InventoryService>>,
  catalog: Partial<Handlers<typeof CatalogService>> = {},
) {
  const outcomes: Outcome[] = [];
  const watch: Interceptor = () => () => ({ end: (outcome) => outcomes.push(outcome) });
  const all = { getStock: unused, reserve: unused, importStock: unused, syncStock: unused };
  const local = await startLocal(
    [
      implement(InventoryService, { ...all, ...stock }),
      implement(CatalogService, {
        getProduct: unused,
        listProducts: unused,
        watchPrices: unused,
        ...catalog,
      }),
    ],
    { interceptors: [watch] },
  );
  cleanups.push(() => local.stop());
  const session = connect(`http://${local.address}`);
  cleanups.push(() => {
    session.destroy();
  });
  return { session, outcomes };
}

const bytesOf = <M extends DescMethod>(method: M, init: MessageInitShape<M['input']>) =>
  framed(toBinary(method.input, create(method.input, init)));

/** The status of a call whose request is these bytes, and then the end. */
async function send(session: ClientHttp2Session, method: DescMethod, bytes: Uint8Array) {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/${method.parent.typeName}/${method.name}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let last: IncomingHttpHeaders = {};
  for (const event of ['response', 'trailers'] as const) {
    stream.on(event, (headers: IncomingHttpHeaders) => {
      if (headers['grpc-status'] !== undefined) last = headers;
    });
  }
  let received = 0;
  stream.on('data', (chunk: Buffer) => (received += chunk.length));
  stream.end(bytes);
  await once(stream, 'close');
  return {
    code: Number(last['grpc-status']),
    message: decodeURI(String(last['grpc-message'])),
    received,
  };
}

const cutRequest = {
  code: status.INTERNAL,
  message: 'the request ends in the middle of a message',
  received: 0,
};

describe('B4: a request that ends within a message is INTERNAL', () => {
  const { importStock, syncStock, getStock } = InventoryService.method;
  const whole = bytesOf(importStock, { productId: 'p-1', quantity: 3 });

  test.each([1, 4, 5, 8])('a stream of requests, %i bytes into the second one', async (length) => {
    let imported = 0;
    const { session, outcomes } = await startBoth({
      importStock: async (requests) => {
        let count = 0;
        for await (const { quantity } of requests) count += quantity;
        imported = count;
        return { imported };
      },
    });
    const bytes = Buffer.concat([whole, whole.subarray(0, length)]);
    expect(await send(session, importStock, bytes)).toEqual(cutRequest);
    expect(imported).toBe(0);
    expect(outcomes).toMatchObject([{ code: status.INTERNAL, error: { message: cutRequest.message } }]);
    expect(await send(session, importStock, Buffer.concat([whole, whole]))).toMatchObject({ code: 0 });
    expect(imported).toBe(6);
  });

  test('a two-way stream: answers to what came before, and then the status', async () => {
    const { session } = await startBoth({
      syncStock: async function* (requests) {
        for await (const { productId } of requests) yield { stock: { productId } };
      },
    });
    const one = bytesOf(syncStock, { productId: 'p-1' });
    const { received, ...end } = await send(session, syncStock, Buffer.concat([one, one.subarray(0, 7)]));
    expect(end).toEqual({ code: cutRequest.code, message: cutRequest.message });
    expect(received).toBeGreaterThan(0);
  });

  test('one request, and a part of another', async () => {
    let handled = 0;
    const { session } = await startBoth(
      {
        getStock: () => {
          handled += 1;
          return {};
        },
      },
      {
        watchPrices: async function* () {
          handled += 1;
          yield {};
          await Promise.resolve();
        },
      },
    );
    for (const method of [getStock, CatalogService.method.watchPrices]) {
      const one = bytesOf(method, {});
      expect(
        await send(session, method, Buffer.concat([one, framed(Buffer.alloc(9)).subarray(0, 8)])),
      ).toEqual(cutRequest);
    }
    expect(handled).toBe(0);
  });

  test('none, or two whole ones, where the method takes one, is UNIMPLEMENTED', async () => {
    const { session } = await startBoth({ getStock: () => ({}) });
    const one = bytesOf(getStock, { productId: 'p-1' });
    expect(await send(session, getStock, Buffer.alloc(0))).toMatchObject({ code: status.UNIMPLEMENTED });
    expect(await send(session, getStock, Buffer.concat([one, one]))).toMatchObject({
      code: status.UNIMPLEMENTED,
    });
  });
});

/** A client of a server that answers everything with these bytes and status OK. */
async function clientOf(bytes: Buffer, trailers?: Record<string, string>) {
  const peer = await startPeer((stream) => {
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => {
      stream.sendTrailers(trailers ?? { 'grpc-status': '0' });
    });
    stream.end(bytes);
  });
  cleanups.push(peer.stop);
  const channel = openChannel(peer.address);
  cleanups.push(() => {
    channel.close();
  });
  return {
    stock: serviceClient(InventoryService, channel),
    catalog: serviceClient(CatalogService, channel),
  };
}

/** No deadline: what ends the call must not be that. */
const endless = { timeoutMs: Infinity };

describe('B4: an answer that ends within a message is INTERNAL', () => {
  const cutAnswer = { code: status.INTERNAL, message: 'the answer ends in the middle of a message' };
  // A field that none of the messages has.
  const one = framed(Buffer.from([120, 1, 120, 1]));

  test.each([
    [0, 3],
    [0, 6],
    [1, 1],
    [1, 5],
    [1, 8],
  ])('after %i whole ones, %i bytes into the next', async (whole, length) => {
    const pieces = [...Array.from({ length: whole }, () => one), one.subarray(0, length)];
    const { stock, catalog } = await clientOf(Buffer.concat(pieces));
    await expect(stock.getStock({}, endless)).rejects.toMatchObject(cutAnswer);
    await expect(stock.importStock([])).rejects.toMatchObject(cutAnswer);
    for (const answers of [catalog.watchPrices({}), stock.syncStock([])]) {
      const seen: unknown[] = [];
      const all = (async () => {
        for await (const each of answers) seen.push(each);
      })();
      await expect(all).rejects.toMatchObject(cutAnswer);
      expect(seen.length).toBeLessThanOrEqual(whole);
    }
  });

  test('an error of the server stays what it is', async () => {
    const { stock } = await clientOf(one.subarray(0, 3), { 'grpc-status': '5', 'grpc-message': 'gone' });
    await expect(stock.getStock({}, endless)).rejects.toMatchObject({
      code: status.NOT_FOUND,
      message: 'gone',
    });
  });
});

describe('B4: no answer, or two, where the method has one, is UNIMPLEMENTED at once', () => {
  test.each([
    ['none', 0, 'No message received'],
    ['two', 2, 'Too many responses received'],
    ['many', 50, 'Too many responses received'],
  ])('%s', async (_, count, message) => {
    const { stock } = await clientOf(
      Buffer.concat(Array.from({ length: count }, () => framed(Buffer.alloc(0)))),
    );
    const refused = { code: status.UNIMPLEMENTED, message };
    await expect(stock.getStock({}, endless)).rejects.toMatchObject(refused);
    await expect(stock.importStock([])).rejects.toMatchObject(refused);
  });

  test('two, while the server goes on for ever', async () => {
    const peer = await startPeer((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(Buffer.concat([framed(Buffer.alloc(0)), framed(Buffer.alloc(0))]));
    });
    cleanups.push(peer.stop);
    const channel = openChannel(peer.address);
    cleanups.push(() => {
      channel.close();
    });
    await expect(serviceClient(InventoryService, channel).getStock({}, endless)).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    });
  });
});

test('an answer of one message is one, however its bytes are cut', async () => {
  const bytes = framed(Buffer.from([10, 3, 112, 45, 49]));
  for (let place = 1; place < bytes.length; place += 1) {
    const split = await startPeer((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0' });
      });
      stream.write(bytes.subarray(0, place), () => stream.end(bytes.subarray(place)));
    });
    cleanups.push(split.stop);
    const channel = openChannel(split.address);
    cleanups.push(() => {
      channel.close();
    });
    const client = serviceClient(CatalogService, channel);
    const seen: unknown[] = [];
    for await (const { productId } of client.watchPrices({})) seen.push(productId);
    expect(seen).toEqual(['p-1']);
  }
});
