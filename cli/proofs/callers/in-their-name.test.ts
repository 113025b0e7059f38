import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { CallModel, MeshModel, WorkloadModel } from '../../../charts/model/mesh-model.ts';
import { frontIn, ordersIn, redisIn } from '../../../charts/testing/foreign.ts';
import { catalogIn, twoClusters } from '../../../charts/testing/mesh.ts';
import { withProject } from '../../../charts/testing/project.ts';
import { KubeApi } from '../../../infra/testing/kube-api.ts';
import { modelOf, modelOnExisting } from '../../../infra/testing/models.ts';
import { problemOf } from '../../../infra/testing/problems.ts';
import { proofsOf } from '../all.ts';
import { judge, probeLabels } from './in-their-name.ts';
import { probing } from './probes.ts';

test("a probe has its caller's labels, and asks an Istio of others for a proxy by the declared revision or tag", () => {
  const caller = { name: 'orders' };
  const own = {
    'app.kubernetes.io/name': 'orders',
    'app.kubernetes.io/managed-by': 'meshwright',
    'app.kubernetes.io/part-of': 'shop',
  };
  expect(probeLabels(modelOf(['east']), caller)).toEqual(own);
  const asked = { ...own, 'sidecar.istio.io/inject': 'true' };
  expect(probeLabels(modelOnExisting(['east']), caller)).toEqual({ ...asked, 'istio.io/rev': 'prod' });
  expect(probeLabels(modelOnExisting(['east'], { revision: 'default' }), caller)).toEqual(asked);
});

const model: MeshModel = withProject({}, (root) => {
  const mesh = twoClusters(root);
  const shop = mesh.namespace('shop');
  const orders = ordersIn(shop, ['west']);
  orders.calls(catalogIn(shop).method.getProduct);
  orders.calls(redisIn(shop).port.redis, frontIn(shop).route('GET', '/health'));
  return mesh.model();
});

describe('a proof in the name of a caller', () => {
  let api: KubeApi;
  beforeAll(async () => {
    api = await KubeApi.start('west');
  });
  afterAll(() => api.stop());
  afterEach(() => {
    api.intervene = () => undefined;
    api.objects.clear();
    api.requests.length = 0;
  });

  type Pod = Parameters<KubeApi['put']>[0];
  interface Made {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly serviceAccountName: string;
      readonly containers: readonly [{ readonly image: string; readonly command: readonly string[] }];
    };
  }

  const pods = '/api/v1/namespaces/shop/pods';

  /** A kubelet: a pod has ended as soon as it is made, and has printed this. */
  function printing(printed: string): void {
    const status = {
      phase: 'Succeeded',
      containerStatuses: [{ name: 'program', state: { terminated: { exitCode: 0 } } }],
    };
    api.intervene = ({ method, path, body }) => {
      if (path.endsWith('/log')) return { status: 200, body: { message: printed } };
      if (method !== 'POST' || path !== pods) return undefined;
      const created = { ...(body as Pod), status };
      api.put(created);
      return { status: 201, body: api.objects.get(`${pods}/${String(created.metadata['name'])}`) };
    };
  }

  const run = (title: string) => {
    const proof = proofsOf(model).kept.find((one) => one.title === title);
    return proof!.run({ model, clients: { west: api.client }, ingress: {} });
  };
  const made = () => {
    const [request] = api.requests.filter(({ method }) => method === 'POST');
    return request!.body as Made;
  };
  const printed = (word: string, answer: object) => `${word}: ${JSON.stringify([answer])}\n`;

  test.each<[string, string, string, string, readonly unknown[]]>([
    [
      'orders in west gets to catalog',
      printed('answers', { servedBy: 'west/catalog-1', status: '0', message: '' }),
      'GetProduct answered by west/catalog-1',
      'probe',
      [
        [
          {
            url: 'http://catalog.shop.svc.cluster.local:50051',
            path: '/test.catalog.v1.CatalogService/GetProduct',
            answeredBy: 'service',
          },
        ],
      ],
    ],
    [
      'orders in west connects to redis:redis',
      printed('connections', { outcome: 'open', greeted: false, why: '' }),
      'redis:redis listens',
      'connect',
      [
        [{ host: 'redis.shop.svc.cluster.local', port: 6379 }],
        { limit: 45_000, greeting: 2_000, greeted: 2_000, quiet: 11_000 },
      ],
    ],
    [
      'orders in west gets to front over HTTP',
      printed('requests', { status: 200, body: 'well' }),
      'GET /health of front answered with 200',
      'request',
      [
        [
          {
            ...{ host: 'front.shop.svc.cluster.local', port: 8080 },
            ...{ verb: 'GET', path: '/health', answeredBy: 'service' },
          },
        ],
        45_000,
      ],
    ],
  ])('%s', async (title, said, seen, does, args) => {
    printing(said);
    expect(await run(title)).toBe(seen);
    const { metadata, spec } = made();
    expect(metadata.name).toMatch(new RegExp(`^meshwright-${does}-orders-[0-9a-f]{8}-[0-9a-f]{8}$`));
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'orders' });
    const [{ image, command }] = spec.containers;
    expect(spec.serviceAccountName).toBe('orders');
    expect(image).toBe(model.images.find(({ app }) => app === 'apps/orders')?.reference);
    expect(command.slice(3).map((arg) => JSON.parse(arg) as unknown)).toEqual(args);
  });

  test('fails with what a pod printed that says nothing of the targets', async () => {
    printing('Segmentation fault\n');
    const { message, exitCode } = await problemOf(run('orders in west connects to redis:redis'));
    expect([message.replace(/-[0-9a-f]{8},/, '-HASH,'), exitCode]).toEqual([
      'orders in west: its probe, pod shop/meshwright-connect-orders-HASH, did not say how its connections went; received "Segmentation fault"',
      1,
    ]);
  });
});

describe('of calls over gRPC', () => {
  const catalog = model.workloads.find(({ name }) => name === 'catalog')!;
  const call = model.workloads.find(({ name }) => name === 'orders')!.calls[0]!;
  const refused: CallModel = { ...call, path: '/test.catalog.v1.CatalogService/None', answeredBy: 'proxy' };
  const others: CallModel = { ...call, workload: 'ledger', namespace: 'bank', existing: true };
  const targets = [
    { call, callee: catalog, title: 'catalog' },
    { call: refused, callee: catalog, title: 'catalog' },
    { call: others, title: 'bank/ledger' },
  ];
  const at = { caller: { name: 'orders' }, cluster: 'west', where: 'orders in west', pod: 'shop/p' };
  const denied = { servedBy: '', status: '7', message: 'RBAC: access denied' };
  const from = (servedBy: string) => ({ servedBy, status: '0', message: '' });
  const away = { servedBy: '', status: '14', message: 'no healthy upstream' };
  const judged = (...answers: readonly object[]) =>
    judge(probing, at, targets, `answers: ${JSON.stringify(answers)}`);

  test('what was seen is told of each', () => {
    expect(judged(from('west/catalog-1'), denied, from(''))).toBe(
      "GetProduct answered by west/catalog-1, catalog's proxy knows it, and refuses what is not granted, bank/ledger of others answers",
    );
  });

  test('what is not as it should be fails with all that is', () => {
    const path = '/test.catalog.v1.CatalogService';
    expect(() => judged(from('east/catalog-1'), from('west/catalog-1'), away)).toThrow(
      `orders in west calls catalog, ${path}/GetProduct: the call is not answered by the service, where it should be; received "east/catalog-1"; ` +
        'allowed an answer of catalog in west\n' +
        `orders in west calls catalog, ${path}/None: the call, of a method that catalog grants to nobody, is not refused by its proxy; received "west/catalog-1"; ` +
        'allowed gRPC status 7 (PERMISSION_DENIED)\n' +
        `orders in west calls bank/ledger, a service of others, ${path}/GetProduct: the call does not get to the service; ` +
        'received "gRPC status 14: no healthy upstream"; allowed any answer of the service; ' +
        'fix: look whether it has ready pods, serves gRPC on that port, and is allowed to take the call by an AuthorizationPolicy of its owners',
    );
  });

  test('an image that is built elsewhere answers with any status of its own, and is told by its name', () => {
    const callee: WorkloadModel = { ...catalog, ...({ app: undefined } as object) };
    const answer = `answers: ${JSON.stringify([from('')])}`;
    expect(judge(probing, at, [{ call, callee, title: 'catalog' }], answer)).toBe(
      'GetProduct answered by catalog',
    );
  });
});
