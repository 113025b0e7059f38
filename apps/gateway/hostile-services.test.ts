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
