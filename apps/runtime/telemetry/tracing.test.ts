import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { startLocal, unused } from '../../testing/local.ts';
import { startCollector } from '../../testing/otlp.ts';
import { freePort } from '../../testing/free-port.ts';
import { startProgram } from '../../testing/program.ts';
import { openChannel, serviceClient } from '../client.ts';
import { implement } from '../handlers.ts';
import { statusError } from '../status.ts';
import { isTraced } from './tracing.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
});

const trace = '0af7651916cd43dd8448eb211c80319c';
const caller = 'b7ad6b7169203331';
const traceparent = `00-${trace}-${caller}-01`;
const createOrder = 'test.orders.v1.OrdersService/CreateOrder';
const getProduct = 'test.catalog.v1.CatalogService/GetProduct';
const reserve = 'test.inventory.v1.InventoryService/Reserve';

async function startService(app: string, environment: Record<string, string>) {
  const port = await freePort();
  const program = startProgram(`testing/services/${app}`, {
    CLUSTER_NAME: 'east',
    POD_NAME: `${app}-0`,
    GRPC_PORT: String(port),
    DRAIN_DELAY_MS: '0',
    LOG_LEVEL: 'debug',
    ...environment,
  });
  cleanups.push(() => program.child.kill('SIGKILL'));
  await once(program.reader, 'line');
  return { ...program, port };
}

/** Orders and the catalog as processes; of the inventory only what comes in, of which the second call fails. */
async function startShop(environment: Record<string, string>) {
  const seen: Metadata[] = [];
  const inventory = await startLocal([
    implement(InventoryService, {
      getStock: unused,
      importStock: unused,
      syncStock: unused,
      reserve: (_, { metadata }) => {
        seen.push(metadata);
        if (seen.length === 2) throw statusError(status.FAILED_PRECONDITION, 'out of stock');
        return {};
      },
    }),
  ]);
  const catalog = await startService('catalog', environment);
  const orders = await startService('orders', {
    CATALOG_ADDRESS: `127.0.0.1:${catalog.port}`,
    INVENTORY_ADDRESS: inventory.address,
    ...environment,
  });
  const channel = openChannel(`127.0.0.1:${orders.port}`);
  cleanups.push(() => {
    channel.close();
    return inventory.stop();
  });
  const order = (headers: Record<string, string>) => {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return serviceClient(OrdersService, channel).createOrder(
      { productId: 'p-1', quantity: 1 },
      { timeoutMs: 20_000, metadata },
    );
  };
  const stop = async () => {
    for (const { child } of [orders, catalog]) child.kill('SIGTERM');
    expect(await Promise.all([orders.closed, catalog.closed])).toEqual([
      [0, null],
      [0, null],
    ]);
  };
  return { order, stop, seen, orders, catalog, inventory };
}

/** What a service was told of the trace by its caller. */
const traceOf = (metadata: Metadata | undefined) =>
  ['traceparent', 'tracestate', 'baggage', 'x-request-id'].map((name) => metadata?.get(name));

describe('with a collector', () => {
  test('each call is a span of the server and of its caller, in one trace', async () => {
    const { local, spans } = await startCollector();
    cleanups.push(() => local.stop());
    const shop = await startShop({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${local.address}`,
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      POD_NAMESPACE: 'shop',
      SERVICE_VERSION: '0.1.0-abc',
    });
    await shop.order({ traceparent, tracestate: 'vendor=1', baggage: 'a=b', 'x-request-id': 'r-1' });
    await expect(shop.order({ tracestate: 'vendor=2' })).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
    await shop.stop();

    const find = (name: string, kind: string, of: string) =>
      spans.find((span) => span.name === name && span.kind === kind && span.trace === of);
    const server = find(createOrder, 'server', trace);
    const toCatalog = find(getProduct, 'client', trace);
    const toInventory = find(reserve, 'client', trace);
    const catalog = find(getProduct, 'server', trace);
    expect(server).toEqual({
      trace,
      id: expect.stringMatching(/^[\da-f]{16}$/),
      parent: caller,
      traceState: 'vendor=1',
      name: createOrder,
      kind: 'server',
      attributes: { 'rpc.system.name': 'grpc', 'rpc.method': createOrder, 'rpc.status_code': 'OK' },
      resource: {
        'telemetry.sdk.language': 'nodejs',
        'telemetry.sdk.name': 'opentelemetry',
        'telemetry.sdk.version': expect.any(String),
        'service.name': 'orders',
        'service.version': '0.1.0-abc',
        'k8s.cluster.name': 'east',
        'k8s.namespace.name': 'shop',
        'k8s.pod.name': 'orders-0',
        'deployment.environment.name': 'test',
      },
      failed: false,
    });
    expect(toCatalog).toMatchObject({
      parent: server?.id,
      attributes: {
        'rpc.system.name': 'grpc',
        'rpc.method': getProduct,
        'rpc.status_code': 'OK',
        'server.address': '127.0.0.1',
        'server.port': shop.catalog.port,
      },
      resource: { 'service.name': 'orders' },
      failed: false,
    });
    expect(catalog).toMatchObject({
      parent: toCatalog?.id,
      traceState: 'vendor=1',
      resource: { 'service.name': 'catalog', 'k8s.pod.name': 'catalog-0' },
    });
    expect(toInventory).toMatchObject({ parent: server?.id });
    const [first, second] = shop.seen;
    expect(traceOf(first)).toEqual([[`00-${trace}-${toInventory?.id}-01`], ['vendor=1'], ['a=b'], ['r-1']]);

    // Without a traceparent a trace begins, and a tracestate counts for nothing.
    const root = spans.find(({ kind, parent }) => kind === 'server' && parent === '');
    const failed = find(reserve, 'client', root?.trace ?? '');
    expect(root).toMatchObject({
      name: createOrder,
      traceState: '',
      attributes: { 'rpc.status_code': 'FAILED_PRECONDITION' },
      // The caller's fault, so not an error of the server.
      failed: false,
    });
    expect(failed).toMatchObject({
      parent: root?.id,
      attributes: { 'rpc.status_code': 'FAILED_PRECONDITION', 'error.type': 'FAILED_PRECONDITION' },
      failed: true,
    });
    expect(traceOf(second)).toEqual([[`00-${root?.trace}-${failed?.id}-01`], [], [], []]);
    expect(spans).toHaveLength(8);

    const calls = shop.orders.lines.filter(({ message }) => message === 'call');
    expect(calls.map(({ trace_id, span_id }) => [trace_id, span_id])).toEqual([
      [trace, server?.id],
      [root?.trace, root?.id],
    ]);
  });

  test('what is not sampled is not sent, and the next service learns so', async () => {
    const { local, spans } = await startCollector();
    cleanups.push(() => local.stop());
    const shop = await startShop({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://${local.address}`,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    await shop.order({});
    await shop.order({ traceparent: `00-${trace}-${caller}-00` }).catch(() => undefined);
    await shop.stop();
    expect(shop.seen.map((metadata) => metadata.get('traceparent'))).toEqual([
      [expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-00$/)],
      [expect.stringMatching(`^00-${trace}-(?!${caller})[\\da-f]{16}-00$`)],
    ]);
    expect(spans).toEqual([]);
  });

  /** One that takes connections and says nothing. */
  async function listenInSilence(): Promise<number> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  test.each([
    ['is not there', freePort, 'some spans were not exported before the end'],
    ['does not answer', listenInSilence, 'some spans were not exported before the end within 2000 ms'],
  ])('that %s: calls go on, and the end comes and is told in the log', async (_, port, message) => {
    const shop = await startShop({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await port()}` });
    const answer = await shop.order({ traceparent });
    expect(answer.order).toMatchObject({ productId: 'p-1' });
    await shop.stop();
    for (const { lines } of [shop.orders, shop.catalog]) {
      expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
        { from: 'opentelemetry', message },
      ]);
    }
  });
});

test('without a collector the headers are passed on as they came, and lines have the ids of the caller', async () => {
  const shop = await startShop({});
  await shop.order({ traceparent, tracestate: 'vendor=1', baggage: 'a=b', 'x-request-id': 'r-1' });
  await shop.stop();
  expect(shop.seen.map(traceOf)).toEqual([[[traceparent], ['vendor=1'], ['a=b'], ['r-1']]]);
  for (const { lines } of [shop.orders, shop.catalog]) {
    expect(lines.find(({ message }) => message === 'call')).toMatchObject({
      trace_id: trace,
      span_id: caller,
    });
  }
});

test("a service loads OpenTelemetry's packages when it has a use for them, not before", () => {
  const loadedBy = (file: string) => {
    const script = `
      import { createRequire } from 'node:module';
      await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, file)).href)});
      const files = Object.keys(createRequire(import.meta.url).cache);
      console.log(files.some((each) => each.includes('@opentelemetry')));`;
    const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script];
    return execFileSync(process.execPath, flags, { encoding: 'utf8', timeout: 20_000 }).trim();
  };
  expect(['../run.ts', 'otlp.ts', 'metrics.ts'].map(loadedBy)).toEqual(['false', 'true', 'true']);
});

test('a collector that is no URL: said so, exit 2', async () => {
  const { lines, closed } = startProgram('testing/services/catalog', {
    CLUSTER_NAME: 'east',
    POD_NAME: 'a',
    GRPC_PORT: '50051',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector',
  });
  expect(await closed).toEqual([2, null]);
  expect(lines.map(({ message }) => message)).toEqual([
    'environment: OTEL_EXPORTER_OTLP_ENDPOINT: wrong value; allowed a URL such as http://otel-collector.observability.svc.cluster.local:4317',
  ]);
});

test('what asks for traces, and what forbids them', () => {
  const there = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317' };
  expect(isTraced({})).toBe(false);
  expect(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).toBe(false);
  expect(isTraced(there)).toBe(true);
  expect(isTraced({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4317' })).toBe(true);
  expect(isTraced({ ...there, OTEL_TRACES_EXPORTER: 'none' })).toBe(false);
  expect(isTraced({ ...there, OTEL_SDK_DISABLED: 'True' })).toBe(false);
});
