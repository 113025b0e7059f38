import type { ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
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
