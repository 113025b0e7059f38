import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { file_conformance_v1_conformance } from '../../../gen/conformance/v1/conformance_pb.js';
import { Flow, turns } from '../../testing/flow.ts';
import { start, stopAll } from '../../testing/gateway.ts';
import type { Options } from '../../testing/gateway.ts';
import { streamsService } from '../../testing/streams.ts';

const open: WebSocket[] = [];
afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate();
  await stopAll();
});

async function startStreams(options: Partial<Options> = {}) {
  const { implementation, seen } = streamsService();
  const registry = createRegistry(file_conformance_v1_conformance);
  return { ...(await start({ implementation, registry, ...options })), seen };
}

interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A client, the messages it has got, and how it was closed. */
function connect(url: string, path: string, options: ClientOptions = {}, protocols: string[] = []) {
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols, options);
  open.push(socket);
  const messages: unknown[] = [];
  const opened = new Promise<void>((resolve) => {
    socket.once('open', resolve);
  });
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
  const closed = new Promise<Closed>((resolve) => {
    socket.once('close', (code, reason) => {
      resolve({ code, reason: reason.toString() });
    });
  });
  const refused = new Promise<{ status: number | undefined; body: unknown }>((resolve) => {
    socket.once('unexpected-response', (_, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => {
        resolve({ status: response.statusCode, body: JSON.parse(text) });
        socket.terminate();
      });
    });
    socket.on('error', () => undefined);
  });
  return { socket, messages, closed, refused, opened };
}

const text = (stringValue: string) => JSON.stringify({ stringValue });

describe('a bidirectional call', () => {
  test('answers each message as it comes, and ends after the empty one', async () => {
    const { url } = await startStreams();
    const { socket, messages, closed, opened } = connect(url, '/v1/streams/bidi', {}, [
      'other',
      'grpc-json.v1',
    ]);
    await opened;
    expect(socket.protocol).toBe('grpc-json.v1');
    for (const each of ['a', 'b']) {
      socket.send(text(each));
      await once(socket, 'message');
    }
    socket.send('');
    expect(await closed).toEqual({ code: 1000, reason: '' });
    expect(messages).toMatchObject([
      { result: { request: { stringValue: 'a' } } },
      { result: { request: { stringValue: 'b' } } },
    ]);
  });

  test('an error is the last message, and its code closes the socket', async () => {
    const { url } = await startStreams();
    const { socket, messages, closed, opened } = connect(url, '/v1/streams/bidi');
    await opened;
    socket.send(text('fail'));
    expect(await closed).toEqual({ code: 4010, reason: 'asked to fail' });
    expect(messages).toEqual([{ error: { code: 10, message: 'asked to fail', details: [] } }]);
  });

  test.each<[string, string | Buffer, number]>([
    ['that is no JSON', '{', 4003],
    ['of an unknown field', '{"none":1}', 4003],
    ['of bytes', Buffer.of(1), 1003],
    ['over the limit', text('x'.repeat(2_000)), 1009],
  ])('a message %s closes the socket', async (_, message, code) => {
    const { url, seen } = await startStreams();
    const { socket, closed, opened } = connect(url, '/v1/streams/bidi');
    await opened;
    socket.send(message);
    expect((await closed).code).toBe(code);
    expect(seen.messages).toBe(0);
  });

  test('a message after the end of input closes the socket', async () => {
    const { url } = await startStreams();
    const { socket, closed, opened } = connect(url, '/v1/streams/client');
    await opened;
    socket.send('');
    socket.send(text('late'));
    expect([1000, 1008]).toContain((await closed).code);
  });

  test('a client that leaves cancels the call', async () => {
    const { url, seen } = await startStreams();
    const { socket, opened } = connect(url, '/v1/streams/bidi');
    await opened;
    socket.send(text('a'));
    await once(socket, 'message');
    socket.terminate();
    await seen.cancelled();
  });

  test('a client that does not read holds the service back, and the service the client', async () => {
    const flow = new Flow();
    const { url, seen } = await startStreams({
      bodyLimit: 100_000,
      watch: (upstreams) => flow.watch(upstreams),
    });
    const { socket, messages, closed, opened } = connect(url, '/v1/streams/bidi');
    await opened;
    socket.pause();
    const large = text('x'.repeat(65_536));
    for (let sent = 0; sent < 1_000; sent++) socket.send(large);
    socket.send('');
    await Promise.all([flow.held, flow.full]);
    await turns(url);
    expect(seen.messages).toBeLessThan(900);
    expect(socket.bufferedAmount).toBeGreaterThan(1_000_000);
    socket.resume();
    expect((await closed).code).toBe(1000);
    expect(messages).toHaveLength(1_000);
    expect(flow.overrun).toBeLessThan(2 ** 20);
  });
});

describe('a call that only answers many times', () => {
  test('starts by itself when its request is in the path and the query', async () => {
    const { url } = await startStreams();
    const { messages, closed } = connect(url, '/v1/streams/server/2?code=5');
    expect(await closed).toEqual({ code: 4005, reason: 'ended with NOT_FOUND' });
    expect(messages).toHaveLength(3);
  });

  test('starts with the first message when its request is a body', async () => {
    const { url } = await startStreams();
    const { socket, messages, closed, opened } = connect(url, '/v1/streams/server');
    await opened;
    socket.send('{"count":2}');
    expect((await closed).code).toBe(1000);
    expect(messages).toEqual([{ result: '0' }, { result: '1' }]);
  });
});

describe('a handshake', () => {
  test('of a page of another origin is refused, unless it is named', async () => {
    const { url } = await startStreams({ gateway: { webSocketOrigins: ['https://shop.example'] } });
    const from = (origin: string) => connect(url, '/v1/streams/bidi', { origin });
    expect(await from('https://evil.example').refused).toEqual({
      status: 403,
      body: { code: 7, message: 'origin: "https://evil.example" may not call here', details: [] },
    });
    expect((await from('null').refused).status).toBe(403);
    await from(url).opened;
    await from('https://shop.example').opened;
  });

  test('with headers that a call may not have is refused', async () => {
    const { url } = await startStreams();
    const { refused } = connect(url, '/v1/streams/bidi', { headers: { 'grpc-timeout': 'soon' } });
    expect(await refused).toMatchObject({ status: 400, body: { code: 3 } });
  });

  test('for a path that is none of a stream is answered as any request', async () => {
    const { url } = await startStreams();
    const { refused } = connect(url, '/v1/none');
    expect(await refused).toMatchObject({ status: 404, body: { code: 5 } });
  });

  test('over the limit of streams is refused', async () => {
    const { url } = await startStreams({ gateway: { maxStreams: 0 } });
    expect(await connect(url, '/v1/streams/bidi').refused).toMatchObject({ status: 503, body: { code: 14 } });
  });
});

test('a stream that stands still is ended', async () => {
  const { url } = await startStreams({ gateway: { streamIdleMs: 100 } });
  expect(await connect(url, '/v1/streams/bidi').closed).toEqual({
    code: 4004,
    reason: 'the stream was idle for 100 ms',
  });
});

test('a gateway that stops says so, and cuts who does not close', async () => {
  const { url, server } = await startStreams({ server: { drainLimitMs: 4_000 } });
  const polite = connect(url, '/v1/streams/bidi');
  const rude = connect(url, '/v1/streams/bidi');
  await Promise.all([polite.opened, rude.opened]);
  rude.socket.pause();
  const drained = server.drain();
  expect(await polite.closed).toEqual({ code: 1001, reason: 'the gateway is stopping; call again' });
  expect(polite.messages).toEqual([
    { error: { code: 14, message: 'the gateway is stopping; call again', details: [] } },
  ]);
  expect(await drained).toBe(false);
});
