import { afterEach, describe, expect, test } from '@jest/globals';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import { Recorder, later, unary } from './testing/scripted-server.ts';
import { createTransport } from './transport.ts';
import type { Transport } from './types.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const raw = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
});

/** All four kinds of call, by grpc-js. */
async function start(): Promise<Transport> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  server.addService(
    {
      unary: raw('/test.Echo/Unary', false, false),
      client: raw('/test.Echo/Client', true, false),
      server: raw('/test.Echo/Server', false, true),
      bidi: raw('/test.Echo/Bidi', true, true),
      fail: raw('/test.Echo/Fail', false, false),
    },
    {
      unary: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        const header = new Metadata();
        for (const value of call.metadata.get('x-echo')) header.add('x-echo', value);
        for (const value of call.metadata.get('echo-bin')) header.add('echo-bin', value);
        call.sendMetadata(header);
        const trailer = new Metadata();
        trailer.set('x-trailer', 'last');
        trailer.set('x-deadline', String(call.getDeadline() !== Infinity));
        callback(null, call.request, trailer);
      },
      client: (call: ServerReadableStream<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        let bytes = 0;
        call.on('data', (message: Buffer) => (bytes += message.length));
        call.on('end', () => {
          callback(null, Buffer.from(String(bytes)));
        });
      },
      server: (call: ServerWritableStream<Buffer, Buffer>) => {
        for (let at = 0; at < Number(call.request.toString()); at += 1) call.write(Buffer.from(`m${at}`));
        call.end();
      },
      bidi: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (message: Buffer) => call.write(message));
        call.on('end', () => {
          call.end();
        });
      },
      fail: (_call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        const metadata = new Metadata();
        metadata.set('grpc-status-details-bin', Buffer.from([1, 2, 3]));
        callback({
          code: status.ABORTED,
          details: '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n',
          metadata,
        });
      },
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error === null) resolve(port);
    else reject(error);
  });
  const transport = createTransport(`127.0.0.1:${await promise}`);
  cleanups.push(() => {
    transport.close();
    server.forceShutdown();
  });
  return transport;
}

const text = (messages: readonly Uint8Array[]) => messages.map((bytes) => Buffer.from(bytes).toString());

describe('against grpc-js', () => {
  test('unary: message, metadata of both kinds both ways, trailers, and no word of the deadline', async () => {
    const transport = await start();
    const { recorder, status: end } = await unary(transport, '/test.Echo/Unary', Buffer.from('hello'), [
      ['x-echo', 'one'],
      ['x-echo', 'two'],
      ['echo-bin', Buffer.from([0, 255, 16]).toString('base64')],
      ['echo-bin', Buffer.from([1]).toString('base64').replaceAll('=', '')],
    ]);
    expect(text(recorder.messages)).toEqual(['hello']);
    expect(end).toMatchObject({ code: 0, from: 'peer' });
    const header = recorder.headers[0]!.filter(([name]) => name !== 'date');
    expect(
      header
        .filter(([name]) => name === 'x-echo')
        .map(([, value]) => value)
        .join(', '),
    ).toBe('one, two');
    expect(
      header.filter(([name]) => name === 'echo-bin').map(([, value]) => [...Buffer.from(value, 'base64')]),
    ).toEqual([[0, 255, 16], [1]]);
    expect(end.trailers).toEqual(
      expect.arrayContaining([
        ['x-trailer', 'last'],
        ['x-deadline', 'false'],
      ]),
    );
  });

  test('an empty message is a message', async () => {
    const transport = await start();
    const { recorder, status: end } = await unary(transport, '/test.Echo/Unary', new Uint8Array());
    expect(end.code).toBe(0);
    expect(recorder.messages.map(({ length }) => length)).toEqual([0]);
  });

  test('a large message goes and comes whole', async () => {
    const transport = await start();
    const message = Buffer.alloc(3_000_000, 'abcdefg');
    const { recorder, status: end } = await unary(transport, '/test.Echo/Unary', message);
    expect(end.code).toBe(0);
    expect(Buffer.compare(recorder.messages[0]!, message)).toBe(0);
  });

  test('client streaming waits for writable() and loses nothing', async () => {
    const transport = await start();
    const recorder = new Recorder();
    const call = transport.call('/test.Echo/Client', { metadata: [], deadline: later() }, recorder);
    let waits = 0;
    for (let at = 0; at < 200; at += 1) {
      if (call.send(Buffer.alloc(50_000))) continue;
      waits += 1;
      const before = recorder.writables;
      await recorder.until(({ writables }) => writables > before);
    }
    call.endSend();
    expect(await recorder.ended).toMatchObject({ code: 0 });
    expect(text(recorder.messages)).toEqual(['10000000']);
    expect(waits).toBeGreaterThan(0);
    expect(recorder.writables).toBe(waits);
  });

  test('server streaming', async () => {
    const transport = await start();
    const { recorder, status: end } = await unary(transport, '/test.Echo/Server', Buffer.from('1000'));
    expect(end.code).toBe(0);
    expect(text(recorder.messages)).toEqual(Array.from({ length: 1000 }, (_, at) => `m${at}`));
  });

  test('bidirectional: each message is answered before the next is sent', async () => {
    const transport = await start();
    const recorder = new Recorder();
    const call = transport.call('/test.Echo/Bidi', { metadata: [], deadline: later() }, recorder);
    for (let at = 1; at <= 20; at += 1) {
      call.send(Buffer.from(`ping ${at}`));
      await recorder.until(({ messages }) => messages.length === at);
    }
    call.endSend();
    expect(await recorder.ended).toMatchObject({ code: 0 });
    expect(text(recorder.messages).at(-1)).toBe('ping 20');
  });

  test('an error: code, percent-encoded message, details', async () => {
    const transport = await start();
    const { status: end } = await unary(transport, '/test.Echo/Fail');
    expect(end).toMatchObject({
      code: status.ABORTED,
      message: '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n',
      from: 'peer',
    });
    expect(end.trailers).toContainEqual(['grpc-status-details-bin', 'AQID']);
  });

  test('an unknown method is UNIMPLEMENTED', async () => {
    const transport = await start();
    const { status: end } = await unary(transport, '/test.Echo/Nothing');
    expect(end).toMatchObject({ code: status.UNIMPLEMENTED, from: 'peer' });
  });

  test('10,000 calls one after the other, then 200 at once', async () => {
    const transport = await start();
    for (let at = 0; at < 10_000; at += 1) {
      const { status: end } = await unary(transport);
      expect(end.code).toBe(0);
    }
    const many = await Promise.all(Array.from({ length: 200 }, () => unary(transport)));
    expect(many.filter(({ status: end }) => end.code === 0)).toHaveLength(200);
    expect(many.every(({ recorder }) => recorder.ends === 1 && recorder.messages.length === 1)).toBe(true);
  });
});
