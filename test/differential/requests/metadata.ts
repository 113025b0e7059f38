import { get, post } from './request.ts';
import type { TestRequest } from './request.ts';

/** Metadata that goes in: the target's query says which. */
const inward = (name: string, headers: NonNullable<TestRequest['headers']>): TestRequest => ({
  ...get(`/v1/query?string_value=${name}`),
  headers,
  watch: ['x-a', 'x-a-bin', 'authorization', 'traceparent', 'x-envoy-a'],
});

/** Metadata that comes out; each gateway is told in the way it takes. */
const outward = (
  request: TestRequest,
  headers: Readonly<Record<string, string>>,
  te?: string,
): TestRequest => ({
  ...request,
  headers: {
    ...Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) => [
        [name, value],
        [`grpc-metadata-${name}`, value],
      ]),
    ),
    ...(te === undefined ? {} : { te }),
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
  },
  watch: ['x-a', 'x-a-bin', 'x-b', 'x-c'],
});

const some = { 'echo-header-x-a': 'one', 'echo-trailer-x-b': 'two' };

/** What crosses beside the messages. */
export const metadata: readonly TestRequest[] = [
  inward('prefixed', { 'grpc-metadata-x-a': 'one' }),
  inward('prefixed-twice', { 'grpc-metadata-x-a': ['one', 'two'] }),
  inward('prefixed-binary', { 'grpc-metadata-x-a-bin': 'AAEC' }),
  inward('prefixed-unpadded', { 'grpc-metadata-x-a-bin': 'AAE' }),
  inward('prefixed-no-base64', { 'grpc-metadata-x-a-bin': '!' }),
  inward('prefixed-reserved', { 'grpc-metadata-grpc-status': '1' }),
  inward('prefixed-proxy', { 'grpc-metadata-x-envoy-a': '1' }),
  inward('plain', { 'x-a': 'one' }),
  inward('authorization', { authorization: 'Bearer token' }),
  inward('traceparent', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }),
  outward(get('/v1/query?string_value=out'), some),
  outward(get('/v1/query?string_value=out'), some, 'trailers'),
  outward(get('/v1/query?string_value=out-binary'), { 'echo-header-x-a-bin': 'AAEC' }),
  outward(get('/v1/query?string_value=out-unlisted'), { 'echo-header-x-c': 'three' }),
  outward(post('/v1/fail/5', '{"message":"gone"}'), some),
  outward(post('/v1/fail/5', '{"message":"gone"}'), some, 'trailers'),
  outward(get('/v1/streams/server/2'), some),
  outward(get('/v1/streams/server/2'), some, 'trailers'),
  outward(get('/v1/streams/server/1?code=5'), some, 'trailers'),
];
