import { get, post } from './request.ts';
import type { TestRequest } from './request.ts';

const all = (body: string) => post('/v1/body/all', body);

const typed = (type: string): TestRequest => ({
  method: 'POST',
  target: '/v1/body/all',
  body: '{"int32Value":1}',
  headers: { 'content-type': type },
});

/** Errors, media types, and the shop. */
export const others: readonly TestRequest[] = [
  ...Array.from({ length: 18 }, (_, code) =>
    post(`/v1/fail/${code}`, '{"message":"as asked: é","details":[]}'),
  ),
  post(
    '/v1/fail/3',
    '{"message":"bad","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"a","description":"b"}]}]}',
  ),
  post(
    '/v1/fail/8',
    '{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1s"},{"@type":"type.googleapis.com/conformance.v1.Nested","name":"x"}]}',
  ),
  get('/v1/fail/5?message=gone'),
  get('/v1/fail/0'),
  typed('application/json; charset=utf-8'),
  typed('application/json'),
  typed('text/plain'),
  typed('application/x-www-form-urlencoded'),
  { ...all('{}'), headers: { 'content-type': '' } },
  all('{"stringValue":"' + 'x'.repeat(70_000) + '"}'),
  post('/v1/body/all', Buffer.from([0x7b, 0x22, 0x73, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
  post('/v1/body/all', Buffer.from('7b22737472696e6756616c7565223a22ff227d', 'hex')),
  get('/v1/products/lamp'),
  get('/v1/products/none'),
  get('/v1/products/a%2Fb'),
  post('/v1/orders', '{"productId":"lamp","quantity":3}'),
  post('/v1/orders', '{"product_id":"lamp","quantity":"3"}'),
];
