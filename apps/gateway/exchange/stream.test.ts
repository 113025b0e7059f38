import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import { file_conformance_v1_conformance } from '../../../gen/conformance/v1/conformance_pb.js';
import { Flow, turns } from '../../testing/flow.ts';
import { start, stopAll } from '../../testing/gateway.ts';
import type { Options } from '../../testing/gateway.ts';
import { streamsService } from '../../testing/streams.ts';

afterEach(stopAll);

async function startStreams(options: Partial<Options> = {}) {
  const { implementation, seen } = streamsService();
  const registry = createRegistry(file_conformance_v1_conformance);
  return { ...(await start({ implementation, registry, ...options })), seen };
}

const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

/** A request that is written bit by bit, and its response as soon as it starts. */
function open(url: string, headers: Record<string, string> = {}) {
  const sent = httpRequest(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  return { sent, response };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response.setEncoding('utf8') as AsyncIterable<string>) text += part;
  return text;
}

const line = (stringValue: string) => `${JSON.stringify({ stringValue })}\n`;

describe('server streaming', () => {
  test('is lines of JSON, each with its result', async () => {
    const { url } = await startStreams();
    const response = await fetch(`${url}/v1/streams/server/2`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(response.headers.get('x-served-by')).toBe('here/pod-1');
    expect(linesOf(await response.text())).toMatchObject([
      { result: { request: { stringValue: '0' } } },
      { result: { request: { stringValue: '1' } } },
    ]);
  });

  test('is events for who asks for them, the last of them the end', async () => {
    const { url } = await startStreams();
    const response = await fetch(`${url}/v1/streams/server`, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: '{"count":2}',
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(await response.text()).toBe(
      'data: "0"\n\ndata: "1"\n\nid: end\nevent: end\ndata: {"code":0,"message":"","details":[]}\n\n',
    );
  });

  test('B10: a browser that calls again after the last event is told to stop, and the service not called', async () => {
    const { url, seen } = await startStreams();
    const target = `${url}/v1/streams/server/1?code=10`;
    const accept = 'text/event-stream';
    const first = await fetch(target, { headers: { accept } });
    const events = await first.text();
    expect(events).toContain('\n\nid: end\nevent: error\ndata: {"code":10,');
    const again = await fetch(target, { headers: { accept, 'last-event-id': 'end' } });
    expect([again.status, await again.text()]).toEqual([204, '']);
    expect(seen.contexts).toHaveLength(1);
    const lines = await fetch(target, { headers: { 'last-event-id': 'end' } });
    expect(lines.status).toBe(200);
    await lines.text();
  });

  test('an error before the first message is an answer of its own, one after it the last line or event', async () => {
    const { url } = await startStreams();
    const first = await fetch(`${url}/v1/streams/server/0?code=5`);
    expect([first.status, await first.json()]).toEqual([
      404,
      { code: 5, message: 'ended with NOT_FOUND', details: [] },
    ]);
    const later = await fetch(`${url}/v1/streams/server/1?code=10`);
    expect([later.status, linesOf(await later.text())]).toMatchObject([
      200,
      [{ result: {} }, { error: { code: 10, message: 'ended with ABORTED', details: [] } }],
    ]);
    const events = await fetch(`${url}/v1/streams/server/1?code=10`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(await events.text()).toMatch(
      /^data: .+\n\nid: end\nevent: error\ndata: \{"code":10,"message":"ended with ABORTED","details":\[\]\}\n\n$/,
    );
  });

  test('takes no other Accept', async () => {
    const { url } = await startStreams();
    const response = await fetch(`${url}/v1/streams/server/1`, {
      headers: { accept: 'text/html, image/*;q=0.5' },
    });
    expect([response.status, await response.json()]).toEqual([
      406,
      {
        code: 3,
        message:
          'accept: "text/html, image/*;q=0.5" received; allowed application/x-ndjson, text/event-stream',
        details: [],
      },
    ]);
  });

  test('has no deadline unless asked, and then keeps it', async () => {
    const { url, seen } = await startStreams({ timeoutMs: 50 });
    expect(linesOf(await (await fetch(`${url}/v1/streams/server/3?delay=0.1s`)).text())).toHaveLength(3);
    expect(seen.contexts[0]?.deadline).toBe(Infinity);
    const response = await fetch(`${url}/v1/streams/server/1000?delay=0.1s`, {
      headers: { 'grpc-timeout': '2500m' },
    });
    expect(linesOf(await response.text()).at(-1)).toEqual({
      error: {
        code: 4,
        message: 'conformance.v1.ConformanceService/ServerStream: DEADLINE_EXCEEDED',
        details: [],
      },
    });
  });

  test('a client that does not read holds the service back', async () => {
    const flow = new Flow();
    const { url, seen } = await startStreams({ watch: (upstreams) => flow.watch(upstreams) });
    const { sent, response } = open(`${url}/v1/streams/server`, { 'content-type': 'application/json' });
    sent.end('{"count":1000,"size":65536}');
    const answer = await response;
    await flow.held;
    // 64 MiB would have come; the service stops when the buffers on the way are full.
    expect(flow.received).toBeLessThan(32 * 2 ** 20);
    const lines = (await textOf(answer)).split('\n');
    expect([lines.length, seen.messages]).toEqual([1_001, 1_000]);
  });

  test('a stream that stands still is ended', async () => {
    const { url, seen } = await startStreams({ gateway: { streamIdleMs: 1_500 } });
    const response = await fetch(`${url}/v1/streams/server/5?delay=30s`);
    expect([response.status, await response.json()]).toEqual([
      504,
      { code: 4, message: 'the stream was idle for 1500 ms', details: [] },
    ]);
    await seen.cancelled();
  });

  test('a client that leaves cancels the call', async () => {
    const { url, seen } = await startStreams();
    const leave = new AbortController();
    const response = await fetch(`${url}/v1/streams/server/500?delay=0.05s`, { signal: leave.signal });
    expect(response.status).toBe(200);
    leave.abort();
    await seen.cancelled();
  });

  test('when the gateway stops, a stream ends with UNAVAILABLE', async () => {
    const { url, server } = await startStreams({ server: { drainLimitMs: 4_000 } });
    const response = await fetch(`${url}/v1/streams/server/500?delay=0.05s`);
    const drained = server.drain();
    expect(linesOf(await response.text()).at(-1)).toEqual({
      error: { code: 14, message: 'the gateway is stopping; call again', details: [] },
    });
    expect(await drained).toBe(true);
  });

  test('more streams than the limit are 503', async () => {
    const { url } = await startStreams({ gateway: { maxStreams: 1 } });
    const first = await fetch(`${url}/v1/streams/server/500?delay=0.05s`);
    const second = await fetch(`${url}/v1/streams/server/1`);
    expect([second.status, second.headers.get('retry-after'), await second.json()]).toEqual([
      503,
      '1',
      { code: 14, message: 'too many streams are in flight; call again later', details: [] },
    ]);
    await first.body?.cancel();
  });
});

describe('client streaming', () => {
  const url = (base: string) => `${base}/v1/streams/client`;

  test('takes lines however they are cut, and one without its end', async () => {
    const { url: base } = await startStreams();
    const { sent, response } = open(url(base));
    const text = `${line('a')}\r\n\n${line('b').trim()}\r\n${line('ç').trim()}`;
    for (const byte of Buffer.from(text)) sent.write(Buffer.of(byte));
    sent.end();
    const answer = await response;
    expect([
      answer.statusCode,
      answer.headers['content-type'],
      JSON.parse(await textOf(answer)),
    ]).toMatchObject([200, 'application/json', { count: 3, stringValues: ['a', 'b', 'ç'] }]);
  });

  test('takes gzip', async () => {
    const { url: base } = await startStreams();
    const { sent, response } = open(url(base), { 'content-encoding': 'gzip' });
    sent.end(gzipSync(line('a') + line('b')));
    expect(JSON.parse(await textOf(await response))).toMatchObject({ stringValues: ['a', 'b'] });
  });

  test.each([
    ['{"stringValue":"a"}\n{"none":1}\n', 400, /^line 2: /],
    ['{"stringValue":"a"}\n{', 400, /^line 2: body: /],
    [`{"stringValue":"${'x'.repeat(2_000)}"}\n`, 413, /^body: a line of more than 1000 bytes$/],
    ['x'.repeat(5_000), 413, /^body: a line of more than 1000 bytes$/],
  ])('refuses %.40j', async (text, httpStatus, message) => {
    const { url: base } = await startStreams();
    const { sent, response } = open(url(base));
    sent.end(text);
    const answer = await response;
    const body = JSON.parse(await textOf(answer)) as { message: string };
    expect([answer.statusCode, body.message]).toEqual([httpStatus, expect.stringMatching(message)]);
  });

  test('refuses what is not in lines', async () => {
    const { url: base } = await startStreams();
    const response = await fetch(url(base), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect([response.status, await response.json()]).toEqual([
      415,
      {
        code: 3,
        message: 'content-type: "application/json" received; allowed application/x-ndjson',
        details: [],
      },
    ]);
  });

  test('an answer that comes before the end of the body ends the connection', async () => {
    const { url: base } = await startStreams();
    const { sent, response } = open(url(base));
    sent.on('error', () => undefined);
    sent.write(line('a') + line('stop'));
    const answer = await response;
    expect([answer.headers.connection, JSON.parse(await textOf(answer))]).toMatchObject([
      'close',
      { count: 1 },
    ]);
    sent.destroy();
  });

  test('a service that does not read holds the client back', async () => {
    const flow = new Flow();
    const { url: base, seen } = await startStreams({
      bodyLimit: 100_000,
      watch: (upstreams) => flow.watch(upstreams),
    });
    const { sent, response } = open(url(base));
    const many = line('x'.repeat(65_536));
    sent.write(line('wait'));
    for (let written = 0; written < 1_000; written++) sent.write(many);
    await Promise.all([seen.started, flow.full]);
    await turns(base);
    // What fits into the buffers on the way is taken, the rest waits in the client until the service reads again.
    expect(sent.writableLength).toBeGreaterThan(40_000_000);
    expect(seen.messages).toBe(1);
    seen.release();
    sent.end();
    expect((JSON.parse(await textOf(await response)) as { count: number }).count).toBe(1_001);
    expect(flow.overrun).toBeLessThan(2 ** 20);
  });

  test('a client that stops in the middle is given up', async () => {
    const { url: base, seen } = await startStreams({ gateway: { streamIdleMs: 1_500 } });
    const { sent, response } = open(url(base));
    sent.on('error', () => undefined);
    sent.write(line('a'));
    const answer = await response;
    expect([answer.statusCode, answer.headers.connection]).toEqual([504, 'close']);
    answer.resume();
    await seen.cancelled();
    sent.destroy();
  });
});

test('bidirectional streaming over HTTP/1.1 answers each line as it comes', async () => {
  const { url } = await startStreams();
  const { sent, response } = open(`${url}/v1/streams/bidi`);
  sent.write(line('a'));
  const answer = (await response).setEncoding('utf8');
  const parts = answer[Symbol.asyncIterator]() as AsyncIterator<string>;
  expect(linesOf((await parts.next()).value as string)).toMatchObject([
    { result: { request: { stringValue: 'a' } } },
  ]);
  sent.write(line('b'));
  expect(linesOf((await parts.next()).value as string)).toMatchObject([
    { result: { request: { stringValue: 'b' } } },
  ]);
  sent.end(line('fail'));
  expect(linesOf((await parts.next()).value as string)).toEqual([
    { error: { code: 10, message: 'asked to fail', details: [] } },
  ]);
});
