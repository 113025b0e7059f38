import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { loadAppConfig } from '../../apps/config/app-config.ts';
import { freePort } from '../../apps/testing/free-port.ts';
import { startLocal } from '../../apps/testing/local.ts';
import type { Local } from '../../apps/testing/local.ts';
import { headOf, openRaw } from '../../apps/testing/raw.ts';
import type { RawConnection } from '../../apps/testing/raw.ts';
import { until } from '../../apps/testing/until.ts';
import type { CallContext, Implementation } from '../../apps/runtime/handlers.ts';
import { InventoryService } from '../../gen/shop/inventory/v1/inventory_pb.js';
import { CatalogService } from '../../gen/shop/catalog/v1/catalog_pb.js';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { makeMemoryGroup } from './cgroup.ts';
import type { MemoryGroup } from './cgroup.ts';

// The gateway as its container runs it, in 256 MiB, under the attacks that took more: programs of this machine, no cluster.

const minute = 60_000;
const limit = 256 * 2 ** 20;
const body = 4 * 2 ** 20;

let group: MemoryGroup;
let services: Local;
let gateway: ChildProcess;
let port: number;
const open: { destroy(): void }[] = [];

// Two bytes in protobuf each, and more than fifty in JSON.
const products = Array.from({ length: (body - 64) / 2 }, () => ({}));
const productId = 'x'.repeat(65_536);
const catalog: Implementation = {
  service: CatalogService,
  handlers: {
    getProduct: () => ({}),
    listProducts: () => ({ products }),
    watchPrices: async function* (_: unknown, { signal }: CallContext) {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (signal.aborted) return;
        yield { productId };
      }
    },
  },
};
const ends = async (requests: AsyncIterable<unknown>) => {
  for await (const each of requests) expect(each).toBeDefined();
  return {};
};
const inventory: Implementation = {
  service: InventoryService,
  handlers: {
    getStock: () => ({}),
    reserve: () => ({}),
    importStock: ends,
    syncStock: async function* (requests: AsyncIterable<unknown>) {
      yield await ends(requests);
    },
  },
};

beforeAll(async () => {
  const { root } = thisWorkspace();
  group = makeMemoryGroup(limit);
  services = await startLocal([catalog, inventory]);
  port = await freePort();
  const { nodeOptions } = loadAppConfig(root, 'apps/gateway').image;
  const main = fileURLToPath(new URL('../../apps/gateway/main.ts', import.meta.url));
  const command = [process.execPath, ...nodeOptions, '--disable-warning=ExperimentalWarning', main].join(' ');
  gateway = spawn('sh', ['-c', `${group.enter} && exec ${command}`], {
    stdio: 'inherit',
    env: {
      CLUSTER_NAME: 'east',
      POD_NAME: 'gateway-1',
      LOG_LEVEL: 'error',
      HTTP_PORT: String(port),
      METRICS_PORT: String(await freePort()),
      TRUSTED_PROXIES: '1',
      UPSTREAMS: [catalog, inventory]
        .map(({ service }) => `${service.typeName}=${services.address}`)
        .join(','),
    },
  });
  await ready();
}, minute);

async function ready(): Promise<void> {
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await answers())) expect(gateway.exitCode).toBeNull();
}

afterEach(() => {
  for (const each of open.splice(0)) each.destroy();
});

afterAll(async () => {
  gateway.kill('SIGKILL');
  await once(gateway, 'close');
  await services.stop();
  group.remove();
});

const by = (client: number) => `x-forwarded-for: 203.0.113.${client}`;

function send(...parts: (string | Buffer)[]): RawConnection {
  const connection = openRaw(port);
  open.push(connection.socket);
  for (const part of parts) connection.socket.write(part);
  return connection;
}

/** A client beside the attack: whether its calls are answered. */
async function honest(): Promise<number[]> {
  const statuses: number[] = [];
  for (let call = 0; call < 20; call++) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/products/p-1`, {
      headers: { 'x-forwarded-for': '198.51.100.1', 'grpc-timeout': '60S' },
    });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}
const all = Array.from({ length: 20 }, () => 200);

async function expectHeld(): Promise<void> {
  expect(await honest()).toEqual(all);
  expect(gateway.exitCode).toBeNull();
  expect(group.peak()).toBeLessThan(limit);
}

test.each([1, 60])(
  'A3: 60 bodies of 4 MiB that stop one byte short, of %i clients',
  async (clients) => {
    const short = Buffer.alloc(body - 1, ' ');
    const connections = Array.from({ length: 60 }, (_, at) => {
      const json = 'content-type: application/json';
      return send(
        headOf('POST', '/v1/reservations', by(at % clients), json, `content-length: ${body}`),
        short,
      );
    });
    await until(() => connections.filter((each) => each.statuses().length > 0).length > 20);
    await expectHeld();
  },
  minute,
);

test(
  'A3: WebSocket messages of 3,000 fragments with 64 KiB of pongs between',
  async () => {
    const pongs = Buffer.alloc(125);
    await Promise.all(
      Array.from({ length: 8 }, async (_, at) => {
        const headers = { 'x-forwarded-for': `203.0.113.${at}` };
        const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/stock:sync`, { headers });
        open.push({ destroy: socket.terminate.bind(socket) });
        socket.on('error', () => undefined);
        await once(socket, 'open');
        for (let fragment = 0; fragment < 3_000 && socket.readyState === WebSocket.OPEN; fragment++) {
          socket.send(' ', { fin: false });
          for (let pong = 0; pong < 500; pong++) socket.pong(pongs);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
    await expectHeld();
  },
  2 * minute,
);

test(
  'A3: answers of 4 MiB of empty messages',
  async () => {
    const answers = Array.from({ length: 4 }, (_, at) =>
      send(headOf('GET', '/v1/products', by(at), 'grpc-timeout: 60S')),
    );
    await until(() => answers.every((each) => each.statuses().length > 0));
    // Each is longer as JSON than one client may hold.
    expect(answers.flatMap((each) => each.statuses())).toEqual([500, 500, 500, 500]);
    await expectHeld();
  },
  2 * minute,
);

test(
  'A3: 100 streams that nobody reads',
  async () => {
    for (let stream = 0; stream < 100; stream++) {
      send(headOf('GET', '/v1/prices:watch', by(stream % 10))).socket.pause();
    }
    await expectHeld();
  },
  2 * minute,
);

test(
  'A4: 1,000 requests of one client whose body never comes',
  async () => {
    const stuck = Array.from({ length: 1_000 }, () =>
      send(headOf('POST', '/v1/reservations', by(1), 'content-type: application/json', 'content-length: 10')),
    );
    await until(() => stuck.filter((each) => each.statuses().length > 0).length >= 500);
    await expectHeld();
  },
  minute,
);

test(
  'A6: gzip of empty lines',
  async () => {
    const lines = gzipSync(Buffer.alloc(130 * 2 ** 20, '\n'));
    const type = 'content-type: application/x-ndjson';
    const head = headOf(
      'POST',
      '/v1/stock:import',
      by(1),
      type,
      'content-encoding: gzip',
      `content-length: ${lines.length}`,
    );
    const attacks = Array.from({ length: 20 }, () => send(head, lines));
    await until(() => attacks.every((each) => each.statuses().length > 0));
    await expectHeld();
  },
  minute,
);
