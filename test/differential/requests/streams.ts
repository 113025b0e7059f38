import { get, post } from './request.ts';
import type { TestRequest } from './request.ts';

const lines = (text: string): TestRequest => ({
  ...post('/v1/streams/client', text),
  headers: { 'content-type': 'application/x-ndjson' },
});

/** Calls with many answers, and with many messages. */
export const streams: readonly TestRequest[] = [
  get('/v1/streams/server/0'),
  get('/v1/streams/server/1'),
  get('/v1/streams/server/3'),
  get('/v1/streams/server/2?size=40000'),
  get('/v1/streams/server/-1'),
  get('/v1/streams/server/x'),
  get('/v1/streams/server/2?unknown=1'),
  get('/v1/streams/server/0?code=5'),
  get('/v1/streams/server/0?code=14'),
  get('/v1/streams/server/2?code=5'),
  get('/v1/streams/server/2?code=14'),
  post('/v1/streams/server', '{"count":3}'),
  post('/v1/streams/server', '{"count":2,"code":9}'),
  post('/v1/streams/server', '{"count":'),
  lines('{"stringValue":"a"}\n{"stringValue":"b"}\n'),
  lines('{"stringValue":"a"}\n\n{"stringValue":"b"}'),
  lines('{"stringValue":"a"}'),
  lines(''),
  lines('{"stringValue":1}\n'),
  lines('{"unknown":1}\n'),
];
