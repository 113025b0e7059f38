import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { loadAppConfig } from '../../apps/config/app-config.ts';
import { descriptorSet } from '../../apps/config/descriptors/descriptor-set.ts';
import { freePort } from '../../apps/testing/free-port.ts';
import { startLocal } from '../../apps/testing/local.ts';
import type { Local } from '../../apps/testing/local.ts';
import { until } from '../../apps/testing/until.ts';
import type { CallContext, Implementation } from '../../apps/runtime/handlers.ts';
import { mostDescriptorBytes } from '../../charts/constructs/http/gateway-descriptors.ts';
import { comments } from '../../gen/comments.js';
import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { everything } from './everything.ts';
import { Attacker, bodyLimit } from './load/attacks.ts';
import { makeMemoryGroup } from './load/cgroup.ts';
import type { MemoryGroup } from './load/cgroup.ts';
import { filledTo, type LargeSet } from './load/large-set.ts';

// The gateway as its container runs it, under the attacks that took more memory than it has: programs of this machine, no cluster.

const minute = 60_000;

/** What a gateway's container has by default, and what it is to have with as many descriptors as synth lets it have. */
const usual = { name: '256 MiB and the descriptors of the sample', limit: 256 * 2 ** 20, filled: 0 };
const largest = {
  name: '384 MiB and 900 KiB of descriptors',
  limit: 384 * 2 ** 20,
  filled: mostDescriptorBytes,
};

let group: MemoryGroup;
let services: Local;
let gateway: ChildProcess;
let port: number;
let folder: string;
let set: LargeSet;
let attacker: Attacker;

// Two bytes in protobuf each, and more than fifty in JSON.
const products = Array.from({ length: (bodyLimit - 64) / 2 }, () => ({}));
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

describe.each(everything ? [usual, largest] : [usual])('with $name', ({ limit, filled }) => {
  beforeAll(async () => {
    const { root } = thisWorkspace();
    group = makeMemoryGroup(limit);
    services = await startLocal([catalog, inventory]);
    const called = [CatalogService, InventoryService];
    set = filledTo(filled, descriptorSet(called, comments).bytes);
    folder = mkdtempSync(join(tmpdir(), 'gateway-memory-'));
    const descriptors = join(folder, 'descriptors.binpb');
    writeFileSync(descriptors, set.bytes);
    port = await freePort();
    attacker = new Attacker(port);
    const { nodeOptions } = loadAppConfig(root, 'apps/gateway').image;
    const main = fileURLToPath(new URL('../../apps/gateway/main.ts', import.meta.url));
    const command = [process.execPath, ...nodeOptions, '--disable-warning=ExperimentalWarning', main].join(
      ' ',
    );
    gateway = spawn('sh', ['-c', `${group.enter} && exec ${command}`], {
      stdio: 'inherit',
      env: {
        CLUSTER_NAME: 'east',
        POD_NAME: 'gateway-1',
        LOG_LEVEL: 'error',
        HTTP_PORT: String(port),
        METRICS_PORT: String(await freePort()),
        TRUSTED_PROXIES: '1',
        DESCRIPTORS: descriptors,
        UPSTREAMS: [...called.map(({ typeName }) => typeName), ...set.added]
          .map((service) => `${service}=${services.address}`)
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
    attacker.end();
  });

  afterAll(async () => {
    gateway.kill('SIGKILL');
    await once(gateway, 'close');
    await services.stop();
    rmSync(folder, { recursive: true });
    group.remove();
  });

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

  // The sample's set is not filled.
  (filled > 0 ? test : test.skip)('it serves the largest set that synth lets it have', async () => {
    expect(set.bytes.length).toBeGreaterThan(mostDescriptorBytes - 10 * 2 ** 10);
    expect(set.methods).toBeGreaterThan(900);
    const document = await fetch(`http://127.0.0.1:${port}/openapi.json`);
    const { paths } = (await document.json()) as { readonly paths: object };
    expect(Object.keys(paths).filter((path) => path.includes('filler'))).toHaveLength(set.methods);
    await expectHeld();
  });

  test.each([1, 60])(
    'A3: 60 bodies of 4 MiB that stop one byte short, of %i clients',
    async (clients) => {
      const connections = attacker.shortBodies(60, clients);
      await until(() => connections.filter((each) => each.statuses().length > 0).length > 20);
      await expectHeld();
    },
    minute,
  );

  test(
    'A3: WebSocket messages of 3,000 fragments with 64 KiB of pongs between',
    async () => {
      await attacker.fragments(8, 3_000);
      await expectHeld();
    },
    2 * minute,
  );

  test(
    'A3: answers of 4 MiB of empty messages',
    async () => {
      const answers = attacker.lists(4);
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
      const streams = attacker.unreadStreams(100, 10);
      await until(() => streams.every((each) => each.statuses().length > 0));
      await expectHeld();
    },
    2 * minute,
  );

  test(
    'A4: 1,000 requests of one client whose body never comes',
    async () => {
      const stuck = attacker.bodiless(1_000);
      await until(() => stuck.filter((each) => each.statuses().length > 0).length >= 500);
      await expectHeld();
    },
    minute,
  );

  test(
    'A6: gzip of empty lines',
    async () => {
      const attacks = attacker.emptyLines(20);
      await until(() => attacks.every((each) => each.statuses().length > 0));
      await expectHeld();
    },
    minute,
  );
});
