import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { UntypedHandleCall } from '@grpc/grpc-js';
import { call, echo, start, stopAll } from '../../testing/gateway.ts';

const cleanups: (() => void)[] = [];
afterEach(async () => {
  await stopAll();
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A name that is not the client's to set. */
const hidden = (name: string): [string, string, string] => [
  `grpc-metadata-${name}`,
  'AAEC',
  `"${name}" is not metadata that a client may set`,
];

const rules = { Get: { pattern: { case: 'get', value: '/v1/books' } } } as const;

describe('in', () => {
  test('only headers of the allow list become metadata', async () => {
    const seen: Metadata[] = [];
    const { url } = await start(
      echo({ Get: { pattern: { case: 'get', value: '/v1/books' } } }, (_, { metadata }) => {
        seen.push(metadata);
        return {};
      }),
    );
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const allowed = { authorization: 'Bearer abc', traceparent, 'x-request-id': 'r-1', 'x-b3-traceid': '1' };
    const refused = { cookie: 'a=b', 'x-served-by': 'me', 'x-grpc-thing': '1', 'x-anything': '1' };
    expect((await call(`${url}/v1/books`, { headers: { ...allowed, ...refused } })).status).toBe(200);
    expect(seen[0]?.getMap()).toMatchObject(allowed);
    expect(Object.keys(seen[0]?.getMap() ?? {}).filter((key) => key in refused)).toEqual([]);
  });

  test('claim headers become metadata, too', async () => {
    const seen: Metadata[] = [];
    const { url } = await start({
      ...echo({ Get: { pattern: { case: 'get', value: '/v1/books' } } }, (_, { metadata }) => {
        seen.push(metadata);
        return {};
      }),
      claimHeaders: ['x-user', 'x-tenant'],
    });
    const headers = { 'x-user': 'ada', 'x-other': '1', 'x-tenant': 'a\u00e9' };
    expect((await call(`${url}/v1/books`, { headers })).status).toBe(200);
    // What gRPC cannot carry is left out, as is what nobody named.
    expect(seen[0]?.getMap()).toMatchObject({ 'x-user': 'ada' });
    expect(Object.keys(seen[0]?.getMap() ?? {})).not.toEqual(expect.arrayContaining(['x-other']));
    expect(Object.keys(seen[0]?.getMap() ?? {})).not.toEqual(expect.arrayContaining(['x-tenant']));
  });

  test('grpc-metadata-NAME becomes NAME, each value of a -bin header one of its own', async () => {
    const seen: Metadata[] = [];
    const { url } = await start(
      echo(rules, (_, { metadata }) => {
        seen.push(metadata);
        return {};
      }),
    );
    const headers = { 'grpc-metadata-x-a': 'one', 'grpc-metadata-x-b-bin': 'AAEC, AA' };
    expect((await call(`${url}/v1/books`, { headers })).status).toBe(200);
    expect(seen[0]?.get('x-a')).toEqual(['one']);
    expect(seen[0]?.get('x-b-bin')).toEqual([Buffer.from([0, 1, 2]), Buffer.from([0])]);
  });

  test.each([
    ['grpc-metadata-authorization', 'a', '"authorization" is not metadata that a client may set'],
    ['grpc-metadata-grpc-timeout', '1S', '"grpc-timeout" is not metadata that a client may set'],
    ['grpc-metadata-x-forwarded-for', 'a', '"x-forwarded-for" is not metadata that a client may set'],
    ...['host', 'te', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'trailer', 'expect'].map(
      hidden,
    ),
    ...['content-length', 'content-type', 'cookie', 'proxy-authorization', 'x-envoy-retry-on'].map(hidden),
    ...['grpc-status', 'grpc-trace-bin', 'grpc-metadata-x-a', 'traceparent', 'x-request-id'].map(hidden),
    ['grpc-metadata-x-a-bin', 'A', 'not base64'],
    ['grpc-metadata-x-a-bin', 'AA=', 'not base64'],
    ['grpc-metadata-x-a-bin', 'AAEC,-_8', 'not base64'],
    ['grpc-metadata-', 'a', '"" is not metadata that a client may set'],
    ['grpc-metadata-x-a', 'a\u00e9', 'not printable ASCII'],
    ['grpc-metadata-x-a-bin', '!', 'not base64'],
  ])('%s: %s is refused', async (name, value, message) => {
    const { url } = await start(echo(rules));
    const answer = await call(`${url}/v1/books`, { headers: { [name]: value } });
    expect([answer.status, answer.body]).toEqual([
      400,
      { code: 3, message: `${name}: ${message}`, details: [] },
    ]);
  });
});

test("A2: what another way in vouches for is not a client's to set, nor taken from a header", async () => {
  const seen: Metadata[] = [];
  const echoed = echo(rules, (_, { metadata }) => {
    seen.push(metadata);
    return {};
  });
  const gateway = { headers: { claims: [], refused: ['x-user'], answers: [] } };
  const { url } = await start({ ...echoed, gateway });
  const forged = await call(`${url}/v1/books`, { headers: { 'Grpc-Metadata-X-User': 'admin' } });
  const message = 'grpc-metadata-x-user: "x-user" is not metadata that a client may set';
  expect([forged.status, forged.body]).toEqual([400, { code: 3, message, details: [] }]);
  const plain = await call(`${url}/v1/books`, { headers: { 'x-user': 'admin' } });
  expect([plain.status, seen.map((metadata) => metadata.get('x-user'))]).toEqual([200, [[]]]);
});

describe('out', () => {
  const answers = ['x-a', 'x-a-bin', 'x-b'];
  const gateway = { headers: { claims: [], answers } };

  /** GET of the books, by a client that reads trailer fields or not. */
  async function get(url: string, te?: string): Promise<IncomingMessage> {
    const sent = httpRequest(`${url}/v1/books`, { headers: te === undefined ? {} : { te } });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await text(response);
    return response;
  }

  const fields = ({ headers, trailers }: IncomingMessage) =>
    [headers, trailers].map((all) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('grpc-'))),
    );

  test.each([
    [undefined, {}],
    ['trailers', { 'grpc-trailer-x-b': 'three' }],
    ['gzip, Trailers ', { 'grpc-trailer-x-b': 'three' }],
  ])('metadata that is named is answered, trailing metadata to TE: %s', async (te, trailers) => {
    const { url } = await start({
      ...echo(rules, (_, { header, trailer }) => {
        header.add('x-a', 'one');
        header.add('x-a', 'two');
        header.set('x-a-bin', Buffer.from([0, 1, 2]));
        header.set('x-other', 'no');
        trailer.set('x-b', 'three');
        trailer.set('x-other', 'no');
        return {};
      }),
      gateway,
    });
    const response = await get(url, te);
    expect(response.statusCode).toBe(200);
    expect(fields(response)).toEqual([
      { 'grpc-metadata-x-a': 'one, two', 'grpc-metadata-x-a-bin': 'AAEC' },
      trailers,
    ]);
  });

  test('an error keeps the metadata that came before it, and its own', async () => {
    const address = await failing({ 'x-a': 'header', 'x-b': 'header' }, { 'x-b': 'trailer' });
    const { url } = await start({ ...echo(rules), address, gateway });
    const response = await get(url, 'trailers');
    expect(response.statusCode).toBe(404);
    expect(fields(response)).toEqual([
      { 'grpc-metadata-x-a': 'header', 'grpc-metadata-x-b': 'trailer' },
      { 'grpc-trailer-x-b': 'trailer' },
    ]);
  });

  /** A server that sends the header of its answer, then NOT_FOUND: apps/runtime sends both as one. @returns its address */
  async function failing(header: Record<string, string>, trailer: Record<string, string>): Promise<string> {
    const of = (values: Record<string, string>) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(values)) metadata.set(name, value);
      return metadata;
    };
    const server = new Server();
    const get: UntypedHandleCall = (
      serverCall: { sendMetadata(metadata: Metadata): void },
      answer: (error: object) => void,
    ) => {
      serverCall.sendMetadata(of(header));
      answer({ code: status.NOT_FOUND, details: 'gone', metadata: of(trailer) });
    };
    const raw = (bytes: Buffer) => bytes;
    server.addService(
      {
        Get: {
          path: '/test.Library/Get',
          requestStream: false,
          responseStream: false,
          requestSerialize: raw,
          requestDeserialize: raw,
          responseSerialize: raw,
          responseDeserialize: raw,
        },
      },
      { Get: get },
    );
    cleanups.push(() => {
      server.forceShutdown();
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
    return `127.0.0.1:${await promise}`;
  }
});
