import type { ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { limitMet, statusError } from '../runtime/status.ts';
import { call, echo, start as startGateway, stopAll } from '../testing/gateway.ts';
import { framed, startPeer } from './transport/testing/scripted-server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  await stopAll();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A gateway before a service that answers calls as it likes. */
async function start(onStream: (stream: ServerHttp2Stream) => void): Promise<string> {
  const peer = await startPeer(onStream);
  cleanups.push(peer.stop);
  const { implementation, registry } = echo({ Get: { pattern: { case: 'get', value: '/v1/{name}' } } });
  const { url } = await startGateway({ implementation, registry, address: peer.address });
  return `${url}/v1/a`;
}

const head = { ':status': 200, 'content-type': 'application/grpc', 'x-served-by': 'there/pod-1' };

function answerWith(stream: ServerHttp2Stream, bytes: Buffer, trailers: Record<string, string> = {}) {
  stream.respond(head, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': '0', ...trailers });
  });
  stream.end(bytes);
}

describe('B4: what is not one whole answer is none', () => {
  const empty = framed(Buffer.alloc(0));

  test.each([
    ['no message', Buffer.alloc(0), 501, 12, 'the answer has no message'],
    ['two', Buffer.concat([empty, empty]), 501, 12, 'more than one answer'],
    ['one, and a part of another', Buffer.concat([empty, empty.subarray(0, 3)]), 500, 13, 'INTERNAL'],
    ['a part of one', framed(Buffer.alloc(9)).subarray(0, 8), 500, 13, 'INTERNAL'],
  ])('%s', async (_, bytes, status, code, words) => {
    const url = await start((stream) => {
      answerWith(stream, bytes);
    });
    const message = `test.Library/Get: ${words}`;
    const answer = await call(url);
    expect({ ...answer, headers: undefined }).toEqual({
      status,
      headers: undefined,
      body: { code, message, details: [] },
    });
  });

  test('two, while the service goes on for ever', async () => {
    const url = await start((stream) => {
      stream.respond(head);
      stream.write(Buffer.concat([empty, empty]));
    });
    expect(await call(url)).toMatchObject({ status: 501 });
  });
});

describe('A1: metadata that gRPC does not allow and HTTP/2 does', () => {
  const odd = {
    'x-note': 'café',
    'x-emoji': '☺',
    'x-tab': 'a\tb',
    'x-inventory-served-by': 'é',
    'x-odd!name': '1',
    'odd-bin': 'é',
    'x-empty': '',
  };

  test.each(['Trailers-Only', 'trailers', 'headers'])(
    "a call's own status gets through: in %s",
    async (where) => {
      const problem = { 'grpc-status': '5', 'grpc-message': 'no such book' };
      const url = await start((stream) => {
        if (where === 'Trailers-Only') stream.respond({ ...head, ...odd, ...problem }, { endStream: true });
        else if (where === 'trailers') answerWith(stream, Buffer.alloc(0), { ...odd, ...problem });
        else {
          stream.respond({ ...head, ...odd }, { waitForTrailers: true });
          stream.once('wantTrailers', () => {
            stream.sendTrailers(problem);
          });
          stream.end();
        }
      });
      expect(await call(url)).toMatchObject({
        status: 404,
        body: { code: 5, message: 'no such book', details: [] },
      });
    },
  );

  test('of an answer that is OK it is left out', async () => {
    const url = await start((stream) => {
      stream.respond({ ...head, ...odd }, { waitForTrailers: true });
      stream.once('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0', ...odd });
      });
      stream.end(framed(Buffer.alloc(0)));
    });
    const { status, headers } = await call(url, { headers: { te: 'trailers' } });
    expect(status).toBe(200);
    expect(headers.get('x-served-by')).toBe('there/pod-1');
    expect(headers.get('x-inventory-served-by')).toBeNull();
  });
});

describe('B6: a limit of a service is not one of its client', () => {
  test('an answer over the limit of the service that gives it', async () => {
    const handlers = { listProducts: () => ({ products: [{ id: 'x'.repeat(5_000_000) }] }) };
    const { url } = await startGateway({ implementation: { service: CatalogService, handlers } });
    expect(await call(`${url}/v1/products`)).toMatchObject({
      status: 500,
      body: {
        code: status.RESOURCE_EXHAUSTED,
        message:
          'test.catalog.v1.CatalogService/ListProducts: the answer has a message of 5000010 bytes; allowed at most 4194304',
        details: [],
      },
    });
  });

  test('more calls than a service takes', async () => {
    const handlers = {
      listProducts: () => {
        throw statusError(status.RESOURCE_EXHAUSTED, 'too many calls are in flight', [], limitMet('calls'));
      },
    };
    const { url } = await startGateway({ implementation: { service: CatalogService, handlers } });
    const answer = await call(`${url}/v1/products`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('x-limit-met')).toBeNull();
  });
});
