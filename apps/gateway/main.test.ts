import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { startLocal } from '../testing/local.ts';
import { freePort, startProgram } from '../testing/program.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The gateway as a process of its own, before a catalog. */
async function startGateway(environment: Record<string, string> = {}) {
  const handlers = { getProduct: ({ id }: { id: string }) => ({ id }) };
  const catalog = await startLocal([{ service: CatalogService, handlers }], { servedBy: 'here/pod-1' });
  cleanups.push(() => catalog.stop());
  const [http, metrics] = [await freePort(), await freePort()];
  const program = startProgram('gateway', {
    CLUSTER_NAME: 'east',
    POD_NAME: 'gateway-0',
    HTTP_PORT: String(http),
    METRICS_PORT: String(metrics),
    UPSTREAMS: `${CatalogService.typeName}=${catalog.address}`,
    DRAIN_DELAY_MS: '0',
    ...environment,
  });
  cleanups.push(() => program.child.kill('SIGKILL'));
  await once(program.reader, 'line');
  return { ...program, url: `http://127.0.0.1:${http}` };
}

test('the access log has a request soon after, also when nothing follows', async () => {
  const { reader, lines, url } = await startGateway();
  const line = once(reader, 'line');
  expect((await fetch(`${url}/v1/products/p-1`)).status).toBe(200);
  await line;
  expect(lines.at(-1)).toMatchObject({ message: 'request', route: '/v1/products/{id}', status: 200 });
});

test('the access log has every request when SIGTERM follows at once', async () => {
  const { child, closed, lines, url } = await startGateway();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      fetch(`${url}/v1/products/p-1`, { headers: { 'x-request-id': `r-${index}` } }),
    ),
  );
  child.kill('SIGTERM');
  expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
  await Promise.all(answers.map((answer) => answer.text()));
  expect(await closed).toEqual([0, null]);
  const requests = lines.filter(({ message }) => message === 'request').map((line) => line['requestId']);
  expect(requests.sort()).toEqual(answers.map((_, index) => `r-${index}`).sort());
  expect(lines.map(({ message }) => message).filter((message) => message !== 'request')).toEqual([
    'serving HTTP',
    'draining',
    'drained',
  ]);
});
