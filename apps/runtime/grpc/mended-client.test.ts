import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { Client } from '@grpc/grpc-js';
import { toBinary, create } from '@bufbuild/protobuf';
import { CatalogService, WatchPricesResponseSchema } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { framed, startPeer } from '../../gateway/transport/testing/scripted-server.ts';
import { collect } from '../../testing/collect.ts';
import { openChannel, serviceClient } from '../client.ts';
import { startCall } from '../client/client-call.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const price = (productId: string) =>
  framed(toBinary(WatchPricesResponseSchema, create(WatchPricesResponseSchema, { productId })));

/** A client of a server that answers each call as the test says. */
async function startAnswering(onStream: (stream: ServerHttp2Stream) => void) {
  const peer = await startPeer(onStream);
  cleanups.push(() => peer.stop());
  const channel = openChannel(peer.address);
  cleanups.push(() => {
    channel.close();
  });
  return { peer, client: serviceClient(CatalogService, channel) };
}

/** Answers with all messages and the trailers at once. */
function answerAtOnce(
  stream: ServerHttp2Stream,
  messages: readonly Buffer[],
  trailers: OutgoingHttpHeaders,
  headers: OutgoingHttpHeaders = {},
) {
  stream.respond({ 'content-type': 'application/grpc', ...headers }, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    stream.sendTrailers(trailers);
  });
  stream.end(Buffer.concat(messages));
}

const aborted = { 'grpc-status': '10', 'grpc-message': 'enough' };
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

describe('B4: an error of a server loses no message before it', () => {
  test.each([0, 1, 3, 40])('%i messages, read at once or late', async (count) => {
    const ids = Array.from({ length: count }, (_, at) => `p-${at}`);
    const { client } = await startAnswering((stream) => {
      answerAtOnce(stream, ids.map(price), aborted);
    });
    for (const late of [0, 50]) {
      const read: string[] = [];
      const prices = client.watchPrices({}, { timeoutMs: 20_000 });
      await turns(late);
      const failed = (async () => {
        for await (const { productId } of prices) {
          read.push(productId);
          await turns(late / 10);
        }
      })();
      await expect(failed).rejects.toMatchObject({ code: status.ABORTED, message: 'enough' });
      expect(read).toEqual(ids);
    }
  });

  test('nor those that wait in the connection because nobody reads', async () => {
    const ids = Array.from({ length: 200 }, (_, at) => `${at}`.padEnd(200, '-'));
    const { client } = await startAnswering((stream) => {
      answerAtOnce(stream, ids.map(price), aborted);
    });
    const read: string[] = [];
    const failed = (async () => {
      for await (const { productId } of client.watchPrices({}, { timeoutMs: 20_000 })) {
        read.push(productId);
        if (read.length === 1) await turns(200);
      }
    })();
    await expect(failed).rejects.toMatchObject({ code: status.ABORTED });
    expect(read).toEqual(ids);
  });
});

describe('what a client ends a call with waits for no message', () => {
  /** The first message is read, the error of the server waits behind the others. */
  async function startWaiting(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal }) {
    const trailers = Promise.withResolvers<undefined>();
    const { client, peer } = await startAnswering((stream) => {
      answerAtOnce(stream, Array<Buffer>(200).fill(price('p-1')), aborted);
      stream.once('close', () => {
        trailers.resolve(undefined);
      });
    });
    const prices = client.watchPrices({}, { timeoutMs: 20_000, ...options });
    expect(await prices.next()).toMatchObject({ done: false });
    await trailers.promise;
    await turns(20);
    return { prices, peer };
  }

  test('a cancellation', async () => {
    const cancelling = new AbortController();
    const { prices } = await startWaiting({ signal: cancelling.signal });
    cancelling.abort();
    const read: unknown[] = [];
    const rest = (async () => {
      for await (const each of prices) read.push(each);
    })();
    await expect(rest).rejects.toMatchObject({ code: status.CANCELLED });
    // Those that the call has handed on already.
    expect(read.length).toBeLessThan(100);
  });

  test('a connection that breaks off leaves no call waiting', async () => {
    const { prices, peer } = await startWaiting({});
    for (const session of peer.sessions) session.destroy();
    await turns(20);
    await expect(collect(prices)).rejects.toMatchObject({ code: status.ABORTED });
  });
});

test('B4: an answer that is compressed otherwise than its encoding says is INTERNAL, of a stream too', async () => {
  const message = 'an answer is compressed in a way that its grpc-encoding does not say, or that is unknown';
  const cases: readonly OutgoingHttpHeaders[] = [{}, { 'grpc-encoding': 'foo' }];
  for (const headers of cases) {
    const { client } = await startAnswering((stream) => {
      answerAtOnce(stream, [framed(Buffer.from([1, 2, 3]), 1)], { 'grpc-status': '0' }, headers);
    });
    const expected = { code: status.INTERNAL, message };
    await expect(client.getProduct({ id: 'p-1' }, { timeoutMs: 20_000 })).rejects.toMatchObject(expected);
    await expect(collect(client.watchPrices({}, { timeoutMs: 20_000 }))).rejects.toMatchObject(expected);
  }
});

test('a call that its server resets when it is over its deadline has exceeded it, unless its caller cancelled it', async () => {
  const { client, peer } = await startAnswering((stream) => {
    stream.close(8);
  });
  await expect(client.getProduct({ id: 'p-1' }, { timeoutMs: 20_000 })).rejects.toMatchObject({
    code: status.CANCELLED,
  });
  const channel = openChannel(peer.address);
  cleanups.push(() => {
    channel.close();
  });
  const cancelling = new AbortController();
  const options = { timeoutMs: 0, signal: cancelling.signal };
  const call = startCall(channel as Client, CatalogService.method.getProduct, options);
  const reset = Object.assign(new Error(), { code: status.CANCELLED, details: 'Call cancelled' });
  expect(call.failure(reset as never)).toMatchObject({
    code: status.DEADLINE_EXCEEDED,
    message: 'the deadline was exceeded',
  });
  call.started({ cancel: () => undefined, once: () => undefined } as never);
  cancelling.abort();
  expect(call.failure(reset as never)).toMatchObject({ code: status.CANCELLED, message: 'Call cancelled' });
});
