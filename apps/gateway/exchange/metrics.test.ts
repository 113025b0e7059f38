import { Writable } from 'node:stream';
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { serveMetrics } from '../../runtime/telemetry/metrics.ts';
import { createGatewayMetrics } from './metrics.ts';
import { createObserver } from './observe.ts';
import { echo, start, stopAll } from '../../testing/gateway.ts';

afterEach(stopAll);

test('each request is a line of the log and a count, by the template of its path', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { base: null, timestamp: false },
    new Writable({
      write: (chunk: Buffer, _, done) => {
        lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
        done();
      },
    }),
  );
  const metrics = createGatewayMetrics();
  const { url } = await start({
    ...echo({ Get: { pattern: { case: 'get', value: '/v1/books/{name}' } } }),
    gateway: { observer: createObserver(log, metrics) },
  });
  metrics.watch({ requests: () => 3, streams: () => 2, bytes: () => 70_000 });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const headers = { traceparent, 'x-request-id': 'r-1', authorization: 'Bearer secret' };
  await (await fetch(`${url}/v1/books/secret?tags=secret`, { headers })).text();
  await (await fetch(`${url}/secret`, { headers: { 'x-request-id': 'a b' } })).text();
  while (lines.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toEqual([
    {
      level: 30,
      method: 'GET',
      route: '/v1/books/{name}',
      status: 200,
      grpcCode: 'OK',
      durationMs: expect.any(Number),
      bytes: expect.any(Number),
      requestId: 'r-1',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      span_id: 'b7ad6b7169203331',
      msg: 'request',
    },
    {
      level: 30,
      method: 'GET',
      status: 404,
      grpcCode: 'NOT_FOUND',
      durationMs: expect.any(Number),
      bytes: expect.any(Number),
      msg: 'request',
    },
  ]);
  const served = await serveMetrics(metrics, 0);
  const text = await (await fetch(`http://127.0.0.1:${served.port}/metrics`)).text();
  expect((await fetch(`http://127.0.0.1:${served.port}/`)).status).toBe(404);
  served.close();
  const label = (name: string, value: string) => `${name}="${value}"`;
  const labels = [
    label('http_request_method', 'GET'),
    label('http_route', '/v1/books/{name}'),
    label('http_response_status_code', '200'),
    label('rpc_status_code', 'OK'),
  ];
  expect(text).toContain(`\nhttp_server_request_duration_seconds_count{${labels.join(',')},`);
  expect(text).toMatch(/^http_server_active_requests\{[^}]*\} 3$/m);
  expect(text).toMatch(/^gateway_streams\{[^}]*\} 2$/m);
  expect(text).toMatch(/^gateway_held_bytes\{[^}]*\} 70000$/m);
  expect(text).toMatch(/^process_memory_usage_bytes\{[^}]*\} \d{7,}$/m);
  expect(text).toMatch(/^process_cpu_time_seconds_total\{[^}]*\} [\d.]+$/m);
  expect(text).not.toContain('secret');
});
