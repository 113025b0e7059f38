import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { freePort } from '../../testing/free-port.ts';
import { startProgram } from '../../testing/program.ts';
import { openChannel, serviceClient } from '../client.ts';
import { createMetrics, serveMetrics } from './metrics.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

test('a service with METRICS_PORT tells of its calls by method and status, and of the process, on the loopback', async () => {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const environment = { CLUSTER_NAME: 'east', POD_NAME: 'catalog-0', DRAIN_DELAY_MS: '0' };
  const { child, reader, closed } = startProgram('testing/services/catalog', {
    ...environment,
    GRPC_PORT: String(port),
    METRICS_PORT: String(metricsPort),
  });
  cleanups.push(() => child.kill('SIGKILL'));
  await once(reader, 'line');
  const channel = openChannel(`127.0.0.1:${port}`);
  cleanups.push(() => {
    channel.close();
  });
  const catalog = serviceClient(CatalogService, channel);
  await catalog.getProduct({ id: 'p-1' }, { timeoutMs: 20_000 });
  await catalog.getProduct({ id: 'p-1' }, { timeoutMs: 20_000 });
  await expect(catalog.getProduct({ id: 'p-0' }, { timeoutMs: 20_000 })).rejects.toMatchObject({
    code: status.NOT_FOUND,
  });
  const prices = catalog.watchPrices({});
  await prices.next();

  const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  const text = await answer.text();
  const scope = 'otel_scope_name="catalog"';
  const of = (method: string) =>
    `rpc_system_name="grpc",rpc_method="test.catalog.v1.CatalogService/${method}"`;
  const histogram = 'rpc_server_call_duration_seconds';
  const lines = text.split('\n');
  expect(lines).toContain(`# TYPE ${histogram} histogram`);
  expect(lines).toContain(`${histogram}_count{${of('GetProduct')},rpc_status_code="OK",${scope}} 2`);
  expect(lines).toContain(`${histogram}_count{${of('GetProduct')},rpc_status_code="NOT_FOUND",${scope}} 1`);
  expect(text).toContain(
    `\n${histogram}_bucket{${of('GetProduct')},rpc_status_code="OK",${scope},le="0.005"} `,
  );
  expect(lines).toContain(`rpc_server_active_calls{${of('WatchPrices')},${scope}} 1`);
  expect(lines).toContain(`rpc_server_active_calls{${of('GetProduct')},${scope}} 0`);
  expect(text).toMatch(/^process_memory_usage_bytes\{otel_scope_name="catalog"\} \d{7,}$/m);
  expect((await fetch(`http://127.0.0.1:${metricsPort}/`)).status).toBe(404);

  await prices.return();
  child.kill('SIGTERM');
  expect(await closed).toEqual([0, null]);
});

test('a taken port is said', async () => {
  const first = await serveMetrics(createMetrics('a'), 0);
  cleanups.push(first.close);
  await expect(serveMetrics(createMetrics('b'), first.port)).rejects.toThrow(
    `cannot listen on 127.0.0.1:${first.port}: listen EADDRINUSE: address already in use 127.0.0.1:${first.port}`,
  );
});
