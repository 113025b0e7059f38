import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ExternalService, GrpcService, MutualTls, type Mesh } from '../../charts/index.ts';
import { waitFor } from '../../core/wait.ts';
import { callMany, callOnce, eventually, status, type Answer, type Caller } from './calls/call.ts';
import { apps, labMesh, type Cluster } from './checkout/lab-mesh.ts';
import { ensureLab, kubectl } from './checkout/lab.ts';
import { outsidePort, removeOutsider, startOutsider, type Outsider } from './calls/outside.ts';
import { projectWith } from './checkout/project.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;

// Configuration takes some seconds to reach the proxies, and an autoscaler looks every 15 s.
jest.setTimeout(5 * minute);

const product = Buffer.concat([Buffer.from([10, 3]), Buffer.from('p-1')]); // field 1, a string: an id
const getProduct = '/shop.catalog.v1.CatalogService/GetProduct';
const getStock = '/shop.inventory.v1.InventoryService/GetStock';
const catalogAddress = 'catalog.shop.svc.cluster.local:50051';
const inventoryAddress = 'inventory.shop.svc.cluster.local:50051';

function at(cluster: Cluster, app: string): Caller {
  return { cluster, namespace: 'shop', target: `deployment/${app}`, container: app };
}

/**
 * The shop's apps in both clusters, without its edge. orders calls the catalog in every way there is, and the payments of
 * its own cluster, which are outside the mesh.
 */
function declare(root: string, outside?: Readonly<Record<Cluster, Outsider>>): Mesh<Cluster> {
  const mesh = labMesh({ root });
  const shop = mesh.namespace('shop');
  const catalog = new GrpcService(shop, 'catalog', apps.catalog);
  const inventory = new GrpcService(shop, 'inventory', apps.inventory);
  const orders = new GrpcService(shop, 'orders', apps.orders);
  orders.calls(catalog.method.getProduct, inventory.method.getStock);
  orders.callsHttp(catalog.method.getProduct);
  inventory.calls(catalog.method.getProduct);
  new MutualTls(inventory, 'mutual-tls', { mode: 'STRICT', ports: { grpc: 'PERMISSIVE' } });
  if (outside === undefined) return mesh;
  for (const cluster of clusters) {
    const payments = new ExternalService(shop, `payments-${cluster}`, {
      host: `payments.${cluster}.example`,
      port: outsidePort,
      protocol: 'GRPC',
      plaintext: true,
      addresses: [outside[cluster].address],
    });
    orders.callsExternal(payments);
  }
  return mesh;
}

const references = {
  TOKEN: { secret: 'e2e-tokens', key: 'api' },
  MODE: { configMap: 'e2e-settings', key: 'mode' },
};
const referred = [
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'e2e-tokens' },
    stringData: { api: 'not-a-real-token' },
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'e2e-settings' }, data: { mode: 'careful' } },
];

let outside: Record<Cluster, Outsider>;

beforeAll(async () => {
  await ensureLab();
  const image = declareImage();
  outside = { east: startOutsider('east', image), west: startOutsider('west', image) };
  for (const cluster of clusters) {
    const items = { apiVersion: 'v1', kind: 'List', items: referred };
    kubectl(cluster, '-n', 'shop', 'apply', '-f', '-', { input: JSON.stringify(items) });
  }
  // First without an autoscaler, and with more pods than its minimum will be.
  const before = projectWith({ inventory: { replicas: 3 } });
  await applyVariant(declare(before.root));
  before.remove();
  const project = projectWith({
    catalog: {
      replicas: 2,
      shutdown: { drainSeconds: 5, graceSeconds: 20 },
      env: { PRICE_CHANGE_INTERVAL_MS: '5000', ...references },
    },
    inventory: { replicas: 2, autoscaling: { maxReplicas: 4 } },
  });
  await applyVariant(declare(project.root, outside));
  project.remove();
}, 60 * minute);

/** The catalog's image, which the lab has. */
function declareImage(): string {
  const mesh = projectWith({});
  try {
    const { images } = declare(mesh.root).model();
    const image = images.find(({ app }) => app === 'apps/catalog');
    if (image === undefined) throw new Error('the catalog has no image');
    return image.reference;
  } finally {
    mesh.remove();
  }
}

afterAll(() => {
  for (const cluster of clusters) {
    removeOutsider(cluster);
    for (const name of ['secret/e2e-tokens', 'configmap/e2e-settings']) {
      kubectl(cluster, '-n', 'shop', 'delete', name, '--ignore-not-found');
    }
  }
});

function replicas(cluster: Cluster, app: string): number {
  return Number(
    kubectl(cluster, '-n', 'shop', 'get', `deployment/${app}`, '-o', 'jsonpath={.spec.replicas}'),
  );
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

function podsOf(cluster: Cluster, app: string): readonly Pod[] {
  const selector = `app.kubernetes.io/name=${app}`;
  const list = kubectl(cluster, '-n', 'shop', 'get', 'pods', '-l', selector, '-o', 'json');
  return (JSON.parse(list) as { readonly items: readonly Pod[] }).items;
}

/** Without those of the version before that still end: they are none of this one's. */
function staying(pods: readonly Pod[]): readonly Pod[] {
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

describe.each(clusters)('a pod in %s', (cluster) => {
  test('runs in a namespace that enforces Pod Security restricted, every container of it ready', async () => {
    const level = kubectl(
      cluster,
      'get',
      'namespace/shop',
      '-o',
      String.raw`jsonpath={.metadata.labels.pod-security\.kubernetes\.io/enforce}`,
    );
    expect(level).toBe('restricted');
    await waitFor({ what: `the catalog's 2 pods in ${cluster} ready`, timeoutMs: minute }, () => {
      const ready = staying(podsOf(cluster, 'catalog')).filter(({ status: { conditions } }) =>
        conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
      );
      return ready.length === 2
        ? { done: true, value: ready }
        : { done: false, because: `${ready.length} of them are` };
    });
  });

  test('gets the values of the Secret and the ConfigMap that its config.yml refers to', () => {
    const print = 'console.log(process.env.TOKEN, process.env.MODE)';
    const exec = [
      '-n',
      'shop',
      'exec',
      'deployment/catalog',
      '-c',
      'catalog',
      '--',
      '/usr/bin/node',
      '-e',
      print,
    ];
    expect(kubectl(cluster, ...exec).trim()).toBe('not-a-real-token careful');
  });
});

describe.each(clusters)('an autoscaler in %s', (cluster) => {
  test('is taken by the API server, and turning it on ends no pod', () => {
    const fields = '{.spec.minReplicas} {.spec.maxReplicas} {.spec.metrics[*].containerResource.container}';
    const get = ['-n', 'shop', 'get', 'hpa/inventory', '-o', `jsonpath=${fields}`];
    expect(kubectl(cluster, ...get)).toBe('2 4 inventory');
    expect(replicas(cluster, 'inventory')).toBe(3);
  });

  test('holds its fewest pods, also without metrics', async () => {
    kubectl(cluster, '-n', 'shop', 'scale', 'deployment/inventory', '--replicas=1');
    await waitFor({ what: `inventory in ${cluster} back at 2 pods`, timeoutMs: minute }, () => {
      const seen = replicas(cluster, 'inventory');
      return seen === 2 ? { done: true, value: seen } : { done: false, because: `${seen} pods` };
    });
  });
});

/** A call whose connection ended without an answer, not even an HTTP status: by a reset, or just so. */
const noAnswer = /^(error .+|http undefined)$/;

/** Makes an HTTP request from inside a pod, by its proxy and under its identity, and prints the status it gets. */
const httpProgram = `
const [method, path, body] = process.argv.slice(1);
const headers = { 'content-type': 'application/json' };
fetch('http://catalog.shop.svc.cluster.local:8080' + path, { method, ...(body && { body, headers }) }).then(
  (response) => console.log(response.status),
  (error) => console.log('error', error.cause?.code ?? error.message),
);
`;

function http(cluster: Cluster, app: string, method: string, path: string): string {
  const exec = [
    '-n',
    'shop',
    'exec',
    `deployment/${app}`,
    '-c',
    app,
    '--',
    '/usr/bin/node',
    '-e',
    httpProgram,
  ];
  return kubectl(cluster, ...exec, method, path).trim();
}

describe.each(clusters)('a declared caller over HTTP in %s', (cluster) => {
  const get = (path: string) => http(cluster, 'orders', 'GET', path);

  test('gets the methods it named by their verbs and paths', async () => {
    await waitFor({ what: `orders in ${cluster} to get a product over HTTP`, timeoutMs: minute }, () => {
      const seen = get('/v1/products/p-1');
      return seen === '200' ? { done: true, value: seen } : { done: false, because: seen };
    });
  });

  test.each([
    ['another method', 'GET', '/v1/products'],
    ['another path', 'GET', '/v1/products/p-1/prices'],
    ['a method that only its literal tells from the variable', 'GET', '/v1/prices:watch'],
    ['another verb', 'POST', '/v1/products/p-1'],
    ['the gateway itself', 'GET', '/readyz'],
  ])('is refused %s: %s %s', (_, method, path) => {
    expect(http(cluster, 'orders', method, path)).toBe('403');
  });

  test('and one that has only gRPC granted is refused', () => {
    expect(http(cluster, 'inventory', 'GET', '/v1/products/p-1')).toBe('403');
  });
});

describe.each(clusters)('plaintext from outside the mesh in %s', (cluster) => {
  test('breaks at a service that takes mutual TLS only', () => {
    const { status: seen } = callOnce(outside[cluster].caller, { address: catalogAddress, path: getProduct });
    expect(seen).toMatch(noAnswer);
  });

  test('gets PERMISSION_DENIED at a permissive port: nobody is granted anything without an identity', async () => {
    await eventually(`a pod outside the mesh in ${cluster} -> inventory`, status.permissionDenied, () =>
      callOnce(outside[cluster].caller, { address: inventoryAddress, path: getStock }),
    );
  });

  test('while a declared caller keeps its identity there', async () => {
    await eventually(`orders in ${cluster} -> inventory`, status.ok, () =>
      callOnce(at(cluster, 'orders'), { address: inventoryAddress, path: getStock, message: product }),
    );
  });
});

describe.each(clusters)('a service outside the mesh, in %s', (cluster) => {
  const pay = (app: string, authority = `payments.${cluster}.example`): Answer =>
    callOnce(at(cluster, app), {
      address: `${outside[cluster].address}:${outsidePort}`,
      path: '/payments.Payments/Pay',
      metadata: { ':authority': `${authority}:${outsidePort}` },
    });

  test('answers its declared caller', async () => {
    const answer = await eventually(`orders in ${cluster} -> payments`, status.ok, () => pay('orders'));
    expect(answer.servedBy).toBe(`${cluster}/outside`);
  });

  test('is unknown to everybody else', () => {
    // Its proxy knows no such host: the connection ends before anything answers.
    expect(pay('inventory').status).toMatch(noAnswer);
  });

  test('opens no other host at the same address to its caller', () => {
    expect(pay('orders', 'other.example').status).not.toBe(status.ok);
    expect(pay('orders', 'other.example').servedBy).toBe('');
  });
});

describe.each(clusters)('a rolling restart in %s', (cluster) => {
  const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => `${cluster}/${metadata.name}`);
  const pods = () => names(podsOf(cluster, 'catalog'));

  test(
    'loses no call: two pods, one after the other, end with calls on their way',
    async () => {
      const before = names(staying(podsOf(cluster, 'catalog')));
      const answers: Answer[] = [];
      kubectl(cluster, '-n', 'shop', 'rollout', 'restart', 'deployment/catalog');
      await waitFor({ what: `the catalog's pods in ${cluster} replaced`, timeoutMs: 5 * minute }, () => {
        const call = { address: catalogAddress, path: getProduct, message: product };
        answers.push(
          ...callMany(at(cluster, 'orders'), { ...call, count: 400, concurrency: 8, connections: 4 }),
        );
        const now = pods();
        const left = now.filter((pod) => before.includes(pod));
        return left.length === 0 && now.length === 2
          ? { done: true, value: undefined }
          : { done: false, because: `${left.length} of the old pods are there, ${now.length} in all` };
      });
      const lost = answers.filter((answer) => answer.status !== status.ok);
      process.stderr.write(`rolling restart in ${cluster}: ${lost.length} of ${answers.length} calls lost\n`);
      expect(lost.map((answer) => [answer.status, answer.message, answer.servedBy])).toEqual([]);
      const served = new Set(answers.map(({ servedBy }) => servedBy));
      // Old and new pods of this cluster had part in it.
      expect(before.filter((pod) => served.has(pod))).toHaveLength(2);
      expect(pods().some((pod) => served.has(pod))).toBe(true);
    },
    8 * minute,
  );
});
