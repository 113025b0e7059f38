import { constants } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { client, grpc, start, stopAll } from './testing/started.ts';
import { Recorder, answer, framed, later, unary } from './testing/scripted-server.ts';
import type { TransportOptions } from './transport.ts';

afterEach(stopAll);

describe('the request', () => {
  test('has the headers that gRPC asks for, and the message behind its prefix', async () => {
    let received: IncomingHttpHeaders = {};
    const bodies: Buffer[] = [];
    const { transport } = await start((stream, headers) => {
      received = headers;
      stream.on('data', (chunk: Buffer) => bodies.push(chunk));
      stream.on('end', () => {
        answer(stream);
      });
    });
    const { status: end } = await unary(transport, '/test.Echo/Unary', Buffer.from('abc'), [
      ['x-request-id', '1'],
      ['key-bin', 'AAE='],
    ]);
    expect(end).toEqual({ code: 0, message: '', trailers: [], from: 'peer' });
    expect(received).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': '/test.Echo/Unary',
      te: 'trailers',
      'content-type': 'application/grpc',
      'grpc-accept-encoding': 'identity',
      'x-request-id': '1',
      'key-bin': 'AAE=',
    });
    expect(received['user-agent']).toMatch(/^grpc-node-/);
    // A proxy in between would end the call by it as one that the server did not answer.
    expect(received).not.toHaveProperty('grpc-timeout');
    expect(Buffer.concat(bodies)).toEqual(framed(Buffer.from('abc')));
  });

  test.each([
    ['grpc-timeout', '1S', 'metadata: the name "grpc-timeout" is reserved by gRPC or HTTP/2'],
    ['te', 'gzip', 'metadata: the name "te" is reserved by gRPC or HTTP/2'],
    ['connection', 'close', 'metadata: the name "connection" is reserved by gRPC or HTTP/2'],
    [':path', '/', 'metadata: the name ":path" is not allowed; allowed: 0-9 a-z _ - .'],
    ['X-Id', '1', 'metadata: the name "X-Id" is not allowed; allowed: 0-9 a-z _ - .'],
    ['x-id', 'a\r\nb', 'metadata: the value of "x-id" is not allowed; allowed: printable ASCII'],
    ['x-bin', '***', 'metadata: the value of "x-bin" is not allowed; allowed: base64'],
  ])('refuses the metadata %s: %j', async (name, value, message) => {
    const { transport } = await start((stream) => {
      answer(stream);
    });
    const { status: end } = await unary(transport, '/a/B', Buffer.alloc(0), [[name, value]]);
    expect(end).toEqual({ code: status.INTERNAL, message, trailers: [], from: 'transport' });
  });

  test('refuses a path that is none', async () => {
    const transport = client('127.0.0.1:1');
    const { status: end } = await unary(transport, 'x');
    expect(end).toMatchObject({ code: status.INTERNAL, message: 'path: "x" is not a /pkg.Service/Method' });
  });
});

describe('the status', () => {
  const end = async (onStream: (stream: ServerHttp2Stream) => void, options?: TransportOptions) =>
    (await unary((await start(onStream, { client: options })).transport)).status;

  test('of Trailers-Only', async () => {
    const result = await end((stream) => {
      const headers = { ...grpc, 'grpc-status': '5', 'grpc-message': 'no%20such%E2%98%BA', 'x-more': '1' };
      stream.respond(headers, { endStream: true });
    });
    expect(result).toMatchObject({ code: status.NOT_FOUND, message: 'no such☺', from: 'peer' });
    expect(result.trailers).toContainEqual(['x-more', '1']);
  });

  test('of a message with broken percent-encoding keeps what is broken', async () => {
    const result = await end((stream) => {
      stream.respond(
        { ...grpc, 'grpc-status': '5', 'grpc-message': '100% %zz %41 %ff' },
        { endStream: true },
      );
    });
    expect(result.message).toBe('100% %zz A \ufffd');
  });

  test.each([['99'], ['-1'], ['x'], ['']])('%j is UNKNOWN', async (text) => {
    const result = await end((stream) => {
      stream.respond({ ...grpc, 'grpc-status': text }, { endStream: true });
    });
    expect(result.code).toBe(status.UNKNOWN);
  });

  test.each([
    [400, status.INTERNAL],
    [401, status.UNAUTHENTICATED],
    [403, status.PERMISSION_DENIED],
    [404, status.UNIMPLEMENTED],
    [429, status.UNAVAILABLE],
    [502, status.UNAVAILABLE],
    [503, status.UNAVAILABLE],
    [504, status.UNAVAILABLE],
    [500, status.UNKNOWN],
    [418, status.UNKNOWN],
  ])('of HTTP status %i, with and without a body', async (httpStatus, code) => {
    const message = `the answer is not gRPC: HTTP status ${httpStatus}, content-type text/html`;
    for (const endStream of [true, false]) {
      const result = await end((stream) => {
        stream.respond({ ':status': httpStatus, 'content-type': 'text/html' }, { endStream });
        if (!endStream) stream.end('<html>');
      });
      expect(result).toEqual({ code, message, trailers: [], from: 'transport' });
    }
  });

  test('in the headers goes before the HTTP status', async () => {
    const result = await end((stream) => {
      stream.respond({ ':status': 503, 'grpc-status': '8', 'grpc-message': 'full' }, { endStream: true });
    });
    expect(result).toMatchObject({ code: status.RESOURCE_EXHAUSTED, message: 'full', from: 'peer' });
  });

  test.each([['text/plain'], ['application/grpc-web'], ['application/json']])(
    'of an answer of %s is UNKNOWN',
    async (type) => {
      const result = await end((stream) => {
        stream.respond({ ':status': 200, 'content-type': type });
        stream.end('x');
      });
      const message = `the answer is not gRPC: HTTP status 200, content-type ${type}`;
      expect(result).toMatchObject({ code: status.UNKNOWN, message });
    },
  );

  test.each([['application/grpc+proto'], ['application/grpc;charset=utf-8'], ['Application/GRPC']])(
    '%s is gRPC',
    async (type) => {
      const result = await end((stream) => {
        stream.respond({ ':status': 200, 'content-type': type }, { waitForTrailers: true });
        stream.on('wantTrailers', () => {
          stream.sendTrailers({ 'grpc-status': '0' });
        });
        stream.end(framed(Buffer.from('x')));
      });
      expect(result.code).toBe(0);
    },
  );

  test('is UNKNOWN when the answer ends without one, whether or not the request has ended', async () => {
    const { transport } = await start((stream) => {
      stream.respond(grpc);
      stream.end(framed(Buffer.from('x')));
    });
    const { status: result } = await unary(transport);
    expect(result).toMatchObject({ code: status.UNKNOWN, message: 'the answer has no grpc-status' });
    const open = new Recorder();
    transport.call('/a/B', { metadata: [], deadline: later() }, open);
    expect(await open.ended).toMatchObject({
      code: status.UNKNOWN,
      message: 'the answer has no grpc-status',
    });
  });

  test('ends a request that is still open, with NO_ERROR', async () => {
    const codes: number[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { transport } = await start((stream) => {
      stream.on('close', () => {
        codes.push(stream.rstCode);
        resolve(undefined);
      });
      answer(stream, [], { 'grpc-status': '9', 'grpc-message': 'enough' });
    });
    const recorder = new Recorder();
    const call = transport.call('/a/B', { metadata: [], deadline: later() }, recorder);
    expect(await recorder.ended).toMatchObject({ code: status.FAILED_PRECONDITION, message: 'enough' });
    expect(call.send(Buffer.from('late'))).toBe(true);
    await promise;
    expect(codes).toEqual([constants.NGHTTP2_NO_ERROR]);
  });

  test.each([
    [constants.NGHTTP2_NO_ERROR, status.UNKNOWN, 'the answer has no grpc-status'],
    [constants.NGHTTP2_PROTOCOL_ERROR, status.INTERNAL, 'the peer reset the stream: PROTOCOL_ERROR'],
    [constants.NGHTTP2_INTERNAL_ERROR, status.INTERNAL, 'the peer reset the stream: INTERNAL_ERROR'],
    [constants.NGHTTP2_FLOW_CONTROL_ERROR, status.INTERNAL, 'the peer reset the stream: FLOW_CONTROL_ERROR'],
    [constants.NGHTTP2_CANCEL, status.CANCELLED, 'the peer reset the stream: CANCEL'],
    [
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
      status.RESOURCE_EXHAUSTED,
      'the peer reset the stream: ENHANCE_YOUR_CALM',
    ],
    [
      constants.NGHTTP2_INADEQUATE_SECURITY,
      status.PERMISSION_DENIED,
      'the peer reset the stream: INADEQUATE_SECURITY',
    ],
    [constants.NGHTTP2_REFUSED_STREAM, status.UNAVAILABLE, 'the peer refused the stream'],
  ])('of RST_STREAM with %i', async (code, expected, message) => {
    const result = await end((stream) => {
      stream.close(code);
    });
    expect(result).toEqual({ code: expected, message, trailers: [], from: 'transport' });
  });
});

describe('messages', () => {
  const broken = async (bytes: Buffer, options?: TransportOptions) => {
    const { transport } = await start(
      (stream) => {
        stream.respond(grpc, { waitForTrailers: true });
        stream.on('wantTrailers', () => {
          stream.sendTrailers({ 'grpc-status': '0' });
        });
        stream.end(bytes);
      },
      { client: options },
    );
    return (await unary(transport)).status;
  };

  test('compressed ones, never offered, are INTERNAL', async () => {
    const result = await broken(framed(Buffer.from('x'), 1));
    expect(result).toMatchObject({
      code: status.INTERNAL,
      message: 'a message is compressed, although no compression was offered',
      from: 'transport',
    });
  });

  test('longer ones than allowed are RESOURCE_EXHAUSTED, by their prefix', async () => {
    const prefix = Buffer.from([0, 0xff, 0xff, 0xff, 0xff]);
    const message = 'a message of 4294967295 bytes was received; allowed at most 10';
    expect(await broken(prefix, { messageLimit: 10 })).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      message,
    });
    expect(await broken(framed(Buffer.alloc(10)), { messageLimit: 10 })).toMatchObject({ code: 0 });
  });

  test.each([[2], [7]])('that end after %i bytes are INTERNAL', async (bytes) => {
    const result = await broken(framed(Buffer.from('hello')).subarray(0, bytes));
    expect(result).toMatchObject({
      code: status.INTERNAL,
      message: 'the answer ends in the middle of a message',
    });
  });
});
