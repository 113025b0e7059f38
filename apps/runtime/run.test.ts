import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { streams } from '../testing/local.ts';
import { freePort } from '../testing/free-port.ts';
import { startProgram } from '../testing/program.ts';
import { openChannel, serviceClient } from './client.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** The catalog as a process of its own, killed when the test is over. */
function startCatalog(environment: Record<string, string>) {
  const program = startProgram('testing/services/catalog', environment);
  cleanups.push(() => program.child.kill('SIGKILL'));
  return program;
}

test('serves, drains at SIGTERM and exits with 0', async () => {
  const port = await freePort();
  const environment = {
    CLUSTER_NAME: 'east',
    POD_NAME: 'catalog-0',
    GRPC_PORT: String(port),
    DRAIN_DELAY_MS: '50',
  };
  const { child, lines, reader, closed } = startCatalog(environment);
  await once(reader, 'line');
  const channel = openChannel(`127.0.0.1:${port}`);
  cleanups.push(() => {
    channel.close();
  });
  const servedBy: unknown[] = [];
  await serviceClient(CatalogService, channel).getProduct(
    { id: 'p-1' },
    { timeoutMs: 20_000, onHeader: (header) => servedBy.push(...header.get('x-served-by')) },
  );
  const watch = streams(channel, CatalogService.method.watchPrices).serverStream({}).resume();
  await once(watch, 'data');
  const ended = once(watch, 'error');
  child.kill('SIGTERM');
  expect((await ended)[0]).toMatchObject({ code: status.UNAVAILABLE });
  expect(await closed).toEqual([0, null]);
  expect(servedBy).toEqual(['east/catalog-0']);
  expect(lines.map((line) => [line['level'], line['cluster'], line['pod'], line['message']])).toEqual(
    ['serving gRPC', 'draining', 'drained'].map((message) => ['info', 'east', 'catalog-0', message]),
  );
});

test('a wrong environment: every problem on its line, exit 2', async () => {
  const { lines, closed } = startCatalog({ CLUSTER_NAME: 'east', GRPC_PORT: 'x', MAX_BYTES: '1' });
  expect(await closed).toEqual([2, null]);
  expect(lines.map((line) => [line['level'], line['message']])).toEqual([
    ['fatal', 'environment: POD_NAME: missing; allowed the name of the pod'],
    ['fatal', 'environment: GRPC_PORT: wrong value; allowed a whole number from 1 to 65535'],
    ['fatal', 'environment: MAX_BYTES: wrong value; allowed a whole number from 1048576 to 8589934592'],
  ]);
});

test('a message that one client could not hold: said so, exit 2', async () => {
  const sizes = { BODY_LIMIT_BYTES: '524284', MAX_BYTES: '1048576' };
  const { lines, closed } = startCatalog({ CLUSTER_NAME: 'east', POD_NAME: 'a', GRPC_PORT: '1', ...sizes });
  expect(await closed).toEqual([2, null]);
  expect(lines.map((line) => [line['level'], line['message']])).toEqual([
    [
      'fatal',
      'environment: BODY_LIMIT_BYTES: more than one client may hold, half of MAX_BYTES; received 524284; allowed at most 524283',
    ],
  ]);
});

test('a port that is taken: said so, exit 1', async () => {
  const blocker = createServer().listen(0, '0.0.0.0');
  cleanups.push(() => blocker.close());
  await once(blocker, 'listening');
  const { port } = blocker.address() as AddressInfo;
  const { lines, closed } = startCatalog({ CLUSTER_NAME: 'east', POD_NAME: 'a', GRPC_PORT: String(port) });
  expect(await closed).toEqual([1, null]);
  // gRPC logs its own warning of it, before or after.
  expect(lines.filter(({ level }) => level === 'fatal')).toMatchObject([
    {
      level: 'fatal',
      message: expect.stringMatching(
        `^cannot listen on 0.0.0.0:${port}: .*listen EADDRINUSE: address already in use 0.0.0.0:${port}`,
      ),
    },
  ]);
});
