import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import { WebSocket } from 'ws';
import { file_conformance_v1_conformance } from '../../../gen/conformance/v1/conformance_pb.js';
import { Flow } from '../../testing/flow.ts';
import { start, stopAll } from '../../testing/gateway.ts';
import type { Options } from '../../testing/gateway.ts';
import { streamsService } from '../../testing/streams.ts';

const cleanups: (() => void)[] = [];
afterEach(async () => {
  jest.useRealTimers();
  for (const cleanup of cleanups.splice(0)) cleanup();
  await stopAll();
});

async function startStreams(options: Partial<Options> = {}) {
  const { implementation, seen } = streamsService();
  const registry = createRegistry(file_conformance_v1_conformance);
  const flow = new Flow();
  const watch = (upstreams: Parameters<Flow['watch']>[0]) => flow.watch(upstreams);
  const started = await start({ implementation, registry, watch, ...options });
  return { ...started, flow, seen, cancelled: seen.cancelled };
}

/** What would come in all, and what may be on its way to one who does not read: the most is the sockets' buffers. */
const [whole, bound] = [256 * 2 ** 20, 32 * 2 ** 20];
const many = { count: whole / 65_536, size: 65_536 };

describe('a client that stops reading', () => {
  test.each(['application/x-ndjson', 'text/event-stream'])('%s holds the service back', async (accept) => {
    const { url, flow, cancelled } = await startStreams();
    const sent = request(`${url}/v1/streams/server`, {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json' },
    }).on('error', () => undefined);
    sent.end(JSON.stringify(many));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    expect(response.headers['content-type']).toBe(accept);
    await flow.held;
    expect(flow.received).toBeLessThan(bound);
    sent.destroy();
    await cancelled();
    expect(flow.received).toBeLessThan(bound);
  });

  test('is cut when nothing moves for long', async () => {
    const { url, flow, cancelled } = await startStreams({ gateway: { streamIdleMs: 2_000 } });
    const sent = request(`${url}/v1/streams/server`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    }).on('error', () => undefined);
    sent.end(JSON.stringify(many));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const cut = new Promise<unknown>((resolve) => response.once('error', resolve));
    await cancelled();
    expect(flow.received).toBeLessThan(bound);
    response.resume();
    expect(await cut).toMatchObject({ message: 'aborted' });
  });

  test('a WebSocket holds the service back, and is let go when it leaves', async () => {
    const { url, flow, cancelled } = await startStreams();
    const socket = openSocket(url, `/v1/streams/server/${many.count}?size=${many.size}`);
    await once(socket, 'open');
    socket.pause();
    await flow.held;
    expect(flow.received).toBeLessThan(bound);
    socket.terminate();
    await cancelled();
    expect(flow.received).toBeLessThan(bound);
  });
});

describe('a WebSocket that answers no ping', () => {
  test('is cut when the next one is due', async () => {
    jest.useFakeTimers({ doNotFake: [...timersButIntervals] });
    const { url, cancelled } = await startStreams();
    const socket = openSocket(url, '/v1/streams/bidi', false);
    await once(socket, 'open');
    socket.send('{"stringValue":"a"}');
    await once(socket, 'message');
    const pinged = once(socket, 'ping');
    jest.advanceTimersByTime(30_000);
    await pinged;
    const closed = once(socket, 'close');
    jest.advanceTimersByTime(30_000);
    expect((await closed)[0]).toBe(1006);
    await cancelled();
  });
});

describe('a client that closes its side', () => {
  const head = (path: string, type: string, ...more: string[]) =>
    [`POST ${path} HTTP/1.1`, 'host: a', `content-type: ${type}`, ...more, '', ''].join('\r\n');
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

  /** Sends all of this, closes this side, and takes what comes until the other is closed. */
  async function talk(port: number, text: string, ready: Promise<unknown>) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).setEncoding('utf8');
    cleanups.push(() => socket.destroy());
    let received = '';
    socket.on('error', () => undefined).on('data', (part: string) => (received += part));
    socket.write(text);
    await ready;
    socket.end();
    await once(socket, 'close');
    return received;
  }

  test('within a body of lines has its call cancelled and its connection ended', async () => {
    const { port, seen, cancelled } = await startStreams();
    const body = chunk('{"stringValue":"a"}\n');
    const text = head('/v1/streams/bidi', 'application/x-ndjson', 'transfer-encoding: chunked') + body;
    const received = await talk(port, text, seen.started);
    await cancelled();
    expect(seen.messages).toBe(1);
    expect(received).not.toContain('\r\n0\r\n');
  });

  test('while a stream goes on is taken to have left', async () => {
    const { port, seen, cancelled } = await startStreams();
    const body = '{"count":100000,"delay":"0.05s"}';
    const text = head('/v1/streams/server', 'application/json', `content-length: ${body.length}`) + body;
    await talk(port, text, seen.started);
    await cancelled();
    expect(seen.messages).toBeLessThan(100_000);
  });
});

const timersButIntervals = [
  'Date',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setTimeout',
  'clearTimeout',
] as const;

function openSocket(url: string, path: string, autoPong = true): WebSocket {
  const socket = new WebSocket(url.replace('http', 'ws') + path, { autoPong });
  socket.on('error', () => undefined);
  cleanups.push(() => {
    socket.terminate();
  });
  return socket;
}
