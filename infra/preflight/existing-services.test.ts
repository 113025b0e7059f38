import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ExistingServiceModel, MeshModel } from '../../charts/model/mesh-model.ts';
import { formatProblem } from '../../core/problem.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh, type Plan } from '../plan/plan.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { modelOf } from '../testing/models.ts';
import { existingProblems } from './existing-services.ts';

const names = ['east', 'west'] as const;
let apis: readonly KubeApi[];
beforeAll(async () => {
  apis = await Promise.all(names.map((name) => KubeApi.start(name)));
});
afterAll(async () => {
  await Promise.all(apis.map((api) => api.stop()));
});

const stock: ExistingServiceModel = {
  name: 'stock',
  namespace: 'team-a',
  port: 50051,
  clusters: names,
  callers: [
    {
      where: 'shop/shop/orders',
      principal: 'shop.example/ns/shop/sa/orders',
      namespace: 'shop',
      clusters: names,
    },
  ],
};
const batch = { namespace: 'team-a', serviceAccount: 'batch', callees: ['shop/shop/catalog'] };
const selector = { app: 'stock' };

/** Their Service as it should be, changed. */
function putService(change: { readonly spec?: object; readonly annotations?: object } = {}, on = apis): void {
  for (const api of on) {
    api.put({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'stock', namespace: 'team-a', annotations: change.annotations ?? {} },
      spec: { selector, ports: [{ name: 'grpc', port: 50051 }], ...change.spec },
    });
  }
}

function putPolicy(spec: object): void {
  for (const api of apis) {
    const metadata = { name: 'stock', namespace: 'team-a' };
    api.put({ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata, spec });
  }
}

beforeEach(() => {
  for (const api of apis) {
    api.objects.clear();
    api.intervene = () => undefined;
    const metadata = { name: 'batch', namespace: 'team-a' };
    api.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
    api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } });
  }
});

function planWith(
  declared: Pick<MeshModel, 'existingServices' | 'existingCallers'>,
  objects: readonly KubeObject[] = [],
): Plan {
  const stage = '00-namespaces' as const;
  const rendered = names.map((cluster) => ({ cluster, stage, path: cluster, yaml: '', objects }));
  return planMesh({ ...modelOf(names), ...declared }, rendered);
}
const release: KubeObject = {
  apiVersion: 'install.istio.io/v1alpha1',
  kind: 'IstioOperator',
  metadata: { name: 'istio', namespace: 'istio-system' },
};

/** What preflight says: its problems, and its warnings. */
async function said(plan: Plan): Promise<{ problems: readonly string[]; warnings: readonly string[] }> {
  const warnings: string[] = [];
  const clients = apis.map(({ client }) => client);
  const warn = (line: string) => warnings.push(line);
  const problems = await existingProblems(clients, plan, { warn, signal: undefined });
  return { problems: problems.map(formatProblem), warnings };
}
const onlyStock = { existingServices: [stock] };

test.each([
  ['a port named grpc', { name: 'grpc', port: 50051 }],
  ['a port with a name that begins so', { name: 'grpc-api', port: 50051 }],
  ['a port of HTTP/2', { name: 'HTTP2', port: 50051 }],
  ['an appProtocol', { name: 'api', appProtocol: 'grpc', port: 50051 }],
  ["Kubernetes' own appProtocol", { appProtocol: 'kubernetes.io/h2c', port: 50051 }],
])('a service with %s is as declared', async (_, port) => {
  putService({ spec: { ports: [{ name: 'http', port: 80 }, port] } });
  expect(await said(planWith({ existingServices: [stock], existingCallers: [batch] }))).toEqual({
    problems: [],
    warnings: [],
  });
});

test('a service that is missing in one cluster, in a namespace that is there', async () => {
  putService({}, apis.slice(0, 1));
  expect(await said(planWith(onlyStock))).toEqual({
    problems: [
      'west: Service team-a/stock: does not exist, and is declared as a service of others that shop/shop/orders calls; ' +
        'fix: have its owners deploy it first, or leave west out of its placement',
    ],
    warnings: [],
  });
});

test('a service is looked for in the clusters of its placement only', async () => {
  putService({}, apis.slice(0, 1));
  const { problems } = await said(planWith({ existingServices: [{ ...stock, clusters: ['east'] }] }));
  expect(problems).toEqual([]);
});

test('in a namespace that the plan makes first, nothing of others can be yet', async () => {
  for (const api of apis) api.objects.clear();
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } };
  const declared = { existingServices: [stock], existingCallers: [batch] };
  expect(await said(planWith(declared, [namespace]))).toEqual({ problems: [], warnings: [] });
  expect((await said(planWith(declared))).problems).toHaveLength(3);
});

test.each([{ ports: [{ name: 'grpc', port: 50051 }] }, { ports: [] }])(
  'a name for a host alone is no service of others, whatever its ports say',
  async (rest) => {
    const spec = { type: 'ExternalName', externalName: 'stock.example', selector: undefined, ...rest };
    putService({ spec }, apis.slice(0, 1));
    putService({}, apis.slice(1));
    expect(await said(planWith(onlyStock))).toEqual({
      problems: [
        'east: Service team-a/stock: is another name for a host (ExternalName), and has no pods: calls would leave without mutual TLS, past every policy; ' +
          'received "stock.example"; allowed a Service with pods; fix: declare the Service that it stands for, or an ExternalService for a host outside of the mesh',
      ],
      warnings: [],
    });
  },
);

test('a port that is not there', async () => {
  putService({ spec: { ports: [{ name: 'grpc', port: 9000 }, { port: 80 }] } });
  expect((await said(planWith(onlyStock))).problems).toEqual(
    names.map(
      (name) =>
        `${name}: Service team-a/stock: has no such port; received 50051; allowed 9000, 80; fix: declare the port by which it serves gRPC`,
    ),
  );
});

test.each([
  ['is named', { name: 'http-api' }, 'http-api'],
  ['is named', { name: 'TCP' }, 'TCP'],
  ['has the appProtocol', { name: 'grpc', appProtocol: 'https' }, 'https'],
])('a port that %s otherwise: %j', async (how, port, received) => {
  putService({ spec: { ports: [{ ...port, port: 50051 }] } }, apis.slice(0, 1));
  const { problems } = await said(planWith({ existingServices: [{ ...stock, clusters: ['east'] }] }));
  expect(problems).toEqual([
    `east: Service team-a/stock: port 50051 ${how} so that proxies do not take it for gRPC: each call would fail, or be one opaque connection; ` +
      `received "${received}"; allowed appProtocol grpc, or a name that begins with grpc; fix: have its owners correct it, or declare another port`,
  ]);
});

test('a port that says nothing of its protocol is a warning', async () => {
  putService({ spec: { ports: [{ name: 'api', port: 50051 }] } });
  expect(await said(planWith(onlyStock))).toEqual({
    problems: [],
    warnings: names.map(
      (name) =>
        `${name}: Service team-a/stock: port 50051 does not say that it speaks gRPC, so that proxies guess it from the first bytes of each connection: ` +
        'have its owners set appProtocol: grpc',
    ),
  });
});

test.each([
  ['*', true],
  ['.,shop', true],
  ['team-b, shop', true],
  ['.', false],
  ['~', false],
  ['team-b', false],
])('a service that is exported to %s is seen by its caller: %s', async (exported, isSeen) => {
  putService({ annotations: { 'networking.istio.io/exportTo': exported } });
  expect((await said(planWith(onlyStock))).problems).toEqual(
    isSeen
      ? []
      : names.map(
          (name) =>
            `${name}: Service team-a/stock: its annotation networking.istio.io/exportTo hides it from namespace shop, whose workloads call it; ` +
            `received "${exported}"; fix: have its owners add shop`,
        ),
  );
});

describe('with an Istio of the mesh, which denies what nobody allows', () => {
  const allowing = (source: object) => ({
    selector: { matchLabels: selector },
    rules: [{ from: [{ source }] }],
  });
  const orders = 'shop.example/ns/shop/sa/orders';

  test.each([
    ['the principal', allowing({ principals: [orders] })],
    ['its namespace', allowing({ namespaces: ['shop'] })],
    ['principals by a beginning', { action: 'ALLOW', ...allowing({ principals: ['shop.example/*'] }) }],
    ['anybody', { rules: [{ to: [{ operation: { ports: ['50051'] } }] }] }],
    [
      'all of a namespace, in labels that the Service does not select by',
      { selector: { matchLabels: { tier: 'a' } }, rules: [{}] },
    ],
  ])('a policy that lets %s in is enough', async (_, spec) => {
    putService();
    putPolicy(spec);
    expect(await said(planWith(onlyStock, [release]))).toEqual({ problems: [], warnings: [] });
  });

  test.each([
    ['none', undefined],
    ['one for somebody else', allowing({ principals: ['shop.example/ns/shop/sa/edge'] })],
    ['one that asks for another namespace, too', allowing({ principals: [orders], namespaces: ['goods'] })],
    [
      'one about other pods',
      { ...allowing({ principals: [orders] }), selector: { matchLabels: { app: 'other' } } },
    ],
    ['one that denies', { action: 'DENY', ...allowing({ principals: [orders] }) }],
    ['one without rules', { selector: { matchLabels: selector } }],
  ])('%s is a warning', async (_, spec) => {
    putService();
    if (spec !== undefined) putPolicy(spec);
    expect(await said(planWith(onlyStock, [release]))).toEqual({
      problems: [],
      warnings: names.map(
        (name) =>
          `${name}: Service team-a/stock: no AuthorizationPolicy in namespace team-a allows it calls of shop/shop/orders, and the mesh denies what none allows: ` +
          `have its owners allow the principal ${orders}`,
      ),
    });
  });
});

test('credentials that may not read the policies of others get no warning, and no error', async () => {
  putService();
  for (const api of apis)
    api.intervene = ({ path }) =>
      path.includes('/authorizationpolic')
        ? { status: 403, body: { message: 'may not list authorizationpolicies' } }
        : undefined;
  expect(await said(planWith(onlyStock, [release]))).toEqual({ problems: [], warnings: [] });
});

describe('a caller of others', () => {
  const declared = { existingCallers: [batch] };

  test('may be in one of the clusters', async () => {
    apis[1]?.objects.clear();
    expect((await said(planWith(declared))).problems).toEqual([]);
  });

  test('that is nowhere is told once', async () => {
    for (const api of apis) api.objects.clear();
    expect((await said(planWith(declared))).problems).toEqual([
      'ServiceAccount team-a/batch: exists in no cluster, and is declared as a caller of others of shop/shop/catalog; ' +
        'fix: correct its name, or have its owners make it first',
    ]);
  });
});

test('what belongs to others is read, and never written', async () => {
  for (const api of apis) api.requests.length = 0;
  putService();
  await said(planWith({ existingServices: [stock], existingCallers: [batch] }, [release]));
  const methods = apis.flatMap(({ requests }) => requests.map(({ method }) => method));
  expect(new Set(methods)).toEqual(new Set(['GET']));
});
