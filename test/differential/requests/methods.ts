import { get, patch, post, put } from './request.ts';
import type { TestRequest } from './request.ts';

/** HTTP methods and additional bindings. */
export const methods: readonly TestRequest[] = [
  get('/v1/methods/a'),
  put('/v1/methods/a', '{"int32Value":1}'),
  post('/v1/methods/a', '{"int32Value":1}'),
  patch('/v1/methods/a', '{"int32Value":1}'),
  { method: 'DELETE', target: '/v1/methods/a?int32_value=5' },
  { method: 'DELETE', target: '/v1/methods/a', body: '{"int32Value":1}' },
  { method: 'LINK', target: '/v1/methods/a' },
  { method: 'UNLINK', target: '/v1/methods/a' },
  { method: 'HEAD', target: '/v1/methods/a' },
  { method: 'OPTIONS', target: '/v1/methods/a' },
  { method: 'HEAD', target: '/v1/query' },
  { method: 'POST', target: '/v1/query', body: '{}' },
  { method: 'PUT', target: '/v1/body/all', body: '{}' },
  { method: 'GET', target: '/v1/body/all' },
  { method: 'GET', target: '/v1/any/a' },
  { method: 'PURGE', target: '/v1/any/a' },
  { method: 'GET', target: '/v1/query', body: '{"int32Value":1}' },
  get('/v1/additional/a'),
  get('/v1/additional/a/values/b'),
  post('/v1/additional', '{"name":"a","count":"5"}'),
  post('/v1/additional/a', '{}'),
  post('/conformance.v1.ConformanceService/Unbound', '{}'),
  post('/conformance.v1.ConformanceService/Query', '{}'),
];
