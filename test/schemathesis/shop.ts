import { join } from 'node:path';
import { descriptorsFile } from '../../apps/testing/descriptors.ts';
import { freePort } from '../../apps/testing/free-port.ts';
import { CatalogService, InventoryService, OrdersService } from '../e2e/checkout/sample.ts';
import { startPeer } from '../peers/process.ts';
import type { Peer } from '../peers/process.ts';

/** The programs of the sample, as their containers run them, on the loopback and without a mesh. */
export interface Shop {
  /** `http://127.0.0.1:PORT` of the gateway. */
  readonly url: string;
  readonly gateway: Peer;
  stop(): Promise<void>;
}

/** @param logsDir - folder for a log of each program */
export async function startShop(root: string, logsDir: string): Promise<Shop> {
  const started: Peer[] = [];
  const descriptors = descriptorsFile([CatalogService, InventoryService, OrdersService]);
  const start = async (app: string, portName: string, env: Readonly<Record<string, string>>) => {
    const [port, metrics] = [await freePort(), await freePort()];
    const peer = await startPeer({
      name: app,
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', join(root, 'apps', app, 'main.ts')],
      env: {
        CLUSTER_NAME: 'east',
        POD_NAME: `${app}-1`,
        DRAIN_DELAY_MS: '0',
        METRICS_PORT: String(metrics),
        [portName]: String(port),
        ...env,
      },
      port,
      logFile: join(logsDir, `schemathesis-${app}.log`),
    });
    started.push(peer);
    return peer;
  };
  const stop = async () => {
    for (const peer of started.splice(0).reverse()) await peer.stop();
    descriptors.remove();
  };
  try {
    const [catalog, inventory] = await Promise.all(
      ['catalog', 'inventory'].map((app) => start(app, 'GRPC_PORT', {})),
    );
    const orders = await start('orders', 'GRPC_PORT', {
      CATALOG_ADDRESS: catalog!.address,
      INVENTORY_ADDRESS: inventory!.address,
    });
    const upstreams = [
      [CatalogService, catalog],
      [InventoryService, inventory],
      [OrdersService, orders],
    ] as const;
    const gateway = await start('gateway', 'HTTP_PORT', {
      DESCRIPTORS: descriptors.path,
      UPSTREAMS: upstreams.map(([{ typeName }, peer]) => `${typeName}=${peer!.address}`).join(','),
    });
    return { url: `http://${gateway.address}`, gateway, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
