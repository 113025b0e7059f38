import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import { ensureUp, kubectl } from './lab.ts';

const minute = 60_000;

/** gRPC status codes (grpc/statuscodes.md). */
const status = { invalidArgument: '3', notFound: '5', permissionDenied: '7', unavailable: '14' } as const;

const product = Buffer.concat([Buffer.from([10, 3]), Buffer.from('p-1')]); // field 1, a string: an id

/** Sends a unary call from inside a pod, by its proxy and under its identity, and prints the status it gets. */
const program = `
const http2 = require('node:http2');
const [url, path, message] = process.argv.slice(1);
const session = http2.connect(url);
const done = (line) => { console.log(line); process.exit(0); };
setTimeout(() => done('timeout'), 10000);
session.on('error', (error) => done('error ' + error.code));
const call = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
let headers = {};
call.on('error', (error) => done('error ' + error.code));
call.on('response', (received) => { headers = received; });
call.on('trailers', (trailers) => { headers = { ...headers, ...trailers }; });
call.on('end', () => done('status ' + (headers['grpc-status'] ?? 'http ' + headers[':status'])));
call.resume();
const body = Buffer.from(message, 'hex');
const frame = Buffer.alloc(5);
frame.writeUInt32BE(body.length, 1);
call.end(Buffer.concat([frame, body]));
`;

function callFrom(
  cluster: string,
  target: string,
  container: string,
  service: string,
  path: string,
  message = product,
): string {
  const url = `http://${service}.shop.svc.cluster.local:50051`;
  const args = [
    '-n',
    'shop',
    'exec',
    target,
    '-c',
    container,
    '--',
    '/usr/bin/node',
    '-e',
    program,
    url,
    path,
    message.toString('hex'),
  ];
  return kubectl(cluster, ...args).trim();
}

/** Awaits an answer: a policy takes some seconds to reach the proxies. */
async function eventually(what: string, expected: string, call: () => string): Promise<void> {
  await waitFor({ what, timeoutMs: 30_000 }, () => {
    const seen = call();
    return seen === expected
      ? { done: true, value: undefined }
      : { done: false, because: `${seen}, not ${expected}` };
  });
  expect(call()).toBe(expected);
}

beforeAll(async () => {
  await ensureUp();
}, 60 * minute);

describe('a declared call goes through, method by method', () => {
  test.each([
    ['the catalog of its own cluster', 'catalog', '/shop.catalog.v1.CatalogService/GetProduct', '0'],
    // An empty request: refused by the service itself, so it got there; stock is in the other cluster.
    [
      'the inventory of the other cluster',
      'inventory',
      '/shop.inventory.v1.InventoryService/Reserve',
      status.invalidArgument,
    ],
  ])('orders to %s', async (_, service, path, expected) => {
    await eventually(`orders -> ${path}`, `status ${expected}`, () =>
      callFrom('east', 'deployment/orders', 'orders', service, path),
    );
  });

  test.each([
    ['the catalog', 'catalog', '/shop.catalog.v1.CatalogService/ListProducts'],
    ['the inventory, in the other cluster', 'inventory', '/shop.inventory.v1.InventoryService/GetStock'],
  ])('but orders may not call another method of %s', async (_, service, path) => {
    await eventually(`orders -> ${path}`, `status ${status.permissionDenied}`, () =>
      callFrom('east', 'deployment/orders', 'orders', service, path),
    );
  });
});

test.each([
  ['east', 'catalog', 'orders'],
  ['west', 'inventory', 'catalog'],
])('in %s, %s declares no calls: its proxy does not know %s', async (cluster, caller, callee) => {
  // The proxy routes to no such place: the connection ends without an answer.
  await waitFor({ what: `${caller} in ${cluster} to be cut off`, timeoutMs: 30_000 }, () => {
    const seen = callFrom(
      cluster,
      `deployment/${caller}`,
      caller,
      callee,
      '/shop.orders.v1.OrdersService/ListOrders',
    );
    return /^error|^status 14|^status http/.test(seen)
      ? { done: true, value: seen }
      : { done: false, because: seen };
  });
});

describe('a workload of the mesh with an identity that nobody named', () => {
  const image = (cluster: string) =>
    kubectl(
      cluster,
      '-n',
      'shop',
      'get',
      'deployment/catalog',
      '-o',
      'jsonpath={.spec.template.spec.containers[0].image}',
    );
  beforeAll(() => {
    for (const cluster of ['east', 'west']) {
      applyIntruder(cluster, image(cluster));
      kubectl(cluster, '-n', 'shop', 'wait', '--for=condition=Ready', 'pod/intruder', '--timeout=120s');
    }
  }, 5 * minute);
  afterAll(() => {
    for (const cluster of ['east', 'west']) {
      kubectl(
        cluster,
        '-n',
        'shop',
        'delete',
        'pod/intruder',
        'serviceaccount/intruder',
        '--ignore-not-found',
        '--wait=false',
        '--grace-period=1',
      );
    }
  });

  test.each([
    ['east', 'its own cluster', 'catalog', '/shop.catalog.v1.CatalogService/GetProduct'],
    ['east', 'the other cluster', 'inventory', '/shop.inventory.v1.InventoryService/Reserve'],
    ['west', 'its own cluster', 'inventory', '/shop.inventory.v1.InventoryService/Reserve'],
    ['west', 'the other cluster', 'orders', '/shop.orders.v1.OrdersService/GetOrder'],
  ])('in %s gets PERMISSION_DENIED in %s', async (cluster, _, service, path) => {
    await eventually(`intruder of ${cluster} -> ${path}`, `status ${status.permissionDenied}`, () =>
      callFrom(cluster, 'pod/intruder', 'intruder', service, path),
    );
  });
});

/** A pod with a sidecar, of an account of its own. */
function applyIntruder(cluster: string, image: string): void {
  const restricted = {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  };
  const metadata = { name: 'intruder', namespace: 'shop' };
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {
        serviceAccountName: 'intruder',
        // For the whole pod: the containers that are injected count, too.
        securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'intruder',
            image,
            command: ['/usr/bin/node', '-e', 'setInterval(() => {}, 1000)'],
            securityContext: restricted,
          },
        ],
      },
    },
  ];
  kubectl(cluster, 'apply', '-f', '-', {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });
}
