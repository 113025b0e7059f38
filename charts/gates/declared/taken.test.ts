import { expect, test } from '@jest/globals';
import { ExternalService } from '../../constructs/access/external-service.ts';
import { problemsWith } from '../../testing/custom.ts';
import { catalogIn } from '../../testing/mesh.ts';
import {
  deployment,
  expectRefused,
  said,
  service,
  type Own,
  type Refused,
} from '../../testing/own-objects.ts';

const account = 'give them an account of their own';
const known = { 'app.kubernetes.io/name': 'catalog' };
const labels = { app: 'own', ...known };
const elsewhere = 'remove it, or name a Service of your own';
const at = 'says where calls to Service shop/catalog of demo/shop/catalog get to';

const pods = (kind: string, apiVersion: string, spec: object): Own => ({ apiVersion, kind, body: { spec } });
const { template } = (
  deployment({}, { serviceAccountName: 'catalog' }).body as { spec: { template: object } }
).spec;
const runsAs = (title: string) =>
  `${title}: its pods run as the service account of demo/shop/catalog, and may call whatever that may; received "catalog"`;
const istio = (kind: string, spec: object): Own => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  body: { spec },
});

const cases: readonly Refused[] = [
  [
    'pods with the account of a declared workload',
    deployment({}, { serviceAccountName: 'catalog' }),
    'own-identity',
    runsAs('Deployment shop/own'),
    account,
  ],
  [
    'by the older name of the field',
    deployment({}, { serviceAccount: 'catalog' }),
    'own-identity',
    runsAs('Deployment shop/own'),
    account,
  ],
  ...['Rollout', 'Whatever'].map((kind): Refused => [
    `pods of a ${kind}`,
    pods(kind, 'argoproj.io/v1alpha1', { template }),
    'own-identity',
    runsAs(`${kind} shop/own`),
    account,
  ]),
  [
    'a lasting token of its account',
    {
      apiVersion: 'v1',
      kind: 'Secret',
      annotations: { 'kubernetes.io/service-account.name': 'catalog' },
      body: { type: 'kubernetes.io/service-account-token' },
    },
    'own-identity',
    'Secret shop/own gets a token of the service account of demo/shop/catalog that never ends; received "catalog"',
    'remove it',
  ],
  [
    'endpoints of a declared Service',
    { apiVersion: 'v1', kind: 'Endpoints', name: 'catalog', body: { subsets: [] } },
    'own-identity',
    `Endpoints shop/catalog ${at}; received "catalog"`,
    elsewhere,
  ],
  [
    'a slice of them',
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      labels: { 'kubernetes.io/service-name': 'catalog' },
      body: { addressType: 'IPv4', endpoints: [], ports: [] },
    },
    'own-identity',
    `EndpointSlice shop/own ${at}; received "catalog"`,
    elsewhere,
  ],
  [
    'an address with the labels of its pods',
    istio('WorkloadEntry', { address: '10.0.0.9', labels: known }),
    'own-identity',
    `WorkloadEntry shop/own ${at}; received {"app.kubernetes.io/name":"catalog"}`,
    elsewhere,
  ],
  [
    'machines with the labels of its pods',
    istio('WorkloadGroup', { metadata: { labels: known }, template: { serviceAccount: 'own' } }),
    'own-identity',
    `WorkloadGroup shop/own ${at}; received {"app.kubernetes.io/name":"catalog"}`,
    elsewhere,
  ],
  ...['catalog.shop.svc', 'catalog.shop'].map((host): Refused => [
    `another meaning of its host ${host}`,
    istio('ServiceEntry', {
      hosts: [host],
      ports: [{ number: 50051, name: 'grpc', protocol: 'GRPC' }],
      resolution: 'STATIC',
      endpoints: [{ address: '10.0.0.9' }],
    }),
    'own-identity',
    `ServiceEntry shop/own ${at}; received ["${host}"]`,
    elsewhere,
  ]),
];

test.each(cases)('%s: refused, unless there is a reason', (_, object, rule, what, fix) => {
  expectRefused(object, rule, what, fix);
});

test('so is its whole host', () => {
  const spec = { hosts: ['*.shop.svc.cluster.local'], resolution: 'DNS', location: 'MESH_INTERNAL' };
  const ports = [{ number: 50051, name: 'grpc', protocol: 'GRPC' }];
  expect(said(istio('ServiceEntry', { ...spec, ports })).filter((line) => line.includes(at))).toEqual([
    `demo/custom: ServiceEntry shop/own ${at}; received ["*.shop.svc.cluster.local"]; fix: ${elsewhere}; ` +
      'or, if it has to be so, give the reason in its annotation meshwright/accept-own-identity',
  ]);
});

test('pods that a declared Service and its policies take for its own are refused, unless there is a reason', () => {
  const fix =
    'fix: give them labels of their own; or, if it has to be so, give the reason in its annotation meshwright/accept-own-identity';
  const found = said(deployment({}, {}, { labels })).filter((line) => line.includes('labels by which'));
  expect(found).toEqual([
    'demo/custom: Deployment shop/own: its pods have the labels by which EnvoyFilter shop/catalog, Service shop/catalog, Sidecar shop/catalog and 2 more know pods of the mesh, ' +
      `and are taken for those; received {"app.kubernetes.io/name":"catalog"}; ${fix}`,
  ]);
  const annotations = { 'meshwright/accept-own-identity': 'it takes over' };
  expect(
    said({ ...deployment({}, {}, { labels }), annotations }).filter((line) =>
      line.includes('labels by which'),
    ),
  ).toEqual([]);
});

test('so are pods that an edge’s Gateway takes for gateways, in whatever namespace', () => {
  const gateway = { apiVersion: 'networking.istio.io/v1', kind: 'Gateway' };
  expect(said(deployment({}, {}, { labels: { app: 'own', istio: 'eastwestgateway' } }))).toEqual([
    'demo/custom: Deployment shop/own: its pods have the labels by which Gateway istio-eastwest/cross-network-gateway knows pods of the mesh, and are taken for those; ' +
      'received {"istio":"eastwestgateway"}; fix: give them labels of their own; or, if it has to be so, give the reason in its annotation meshwright/accept-own-identity',
  ]);
  // One of one's own is for whom it likes.
  const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['own.example'] }];
  const ports = [{ name: 'http', port: 80 }];
  expect(
    said(
      deployment(),
      { ...gateway, body: { spec: { selector: { app: 'own' }, servers } } },
      service({ selector: { app: 'own' }, ports }),
    ),
  ).toEqual([]);
});

test('pods in a namespace of the mesh itself are refused: they can be any account and mount any Secret there', () => {
  for (const namespace of ['istio-system', 'istio-ingress', 'istio-eastwest'])
    expect(said({ ...deployment(), namespace }).filter((line) => line.includes('the mesh itself'))).toEqual([
      `demo/custom: Deployment ${namespace}/own: its pods run in a namespace of the mesh itself, where they may be any account and mount any Secret, such as keys of certificates; ` +
        `received "${namespace}"; fix: put them into a namespace for applications; or, if it has to be so, give the reason in its annotation meshwright/accept-own-identity`,
    ]);
});

const route = (host: string, more: object = {}) => ({
  route: [{ destination: { host, port: { number: 50051 } } }],
  ...more,
});
const led = (spec: object) =>
  said(istio('VirtualService', spec)).filter((line) => line.includes('elsewhere'));
const refused = (received: string) =>
  `demo/custom: VirtualService shop/own routes calls to catalog.shop.svc.cluster.local, which the mesh declares, elsewhere; received ${received}; ` +
  `fix: ${elsewhere}; or, if it has to be so, give the reason in its annotation meshwright/accept-own-identity`;

test('calls to a declared service are led, and copied, to no other', () => {
  const hosts = ['catalog'];
  expect(led({ hosts, http: [route('evil')] })).toEqual([refused('["evil.shop.svc.cluster.local"]')]);
  expect(led({ hosts, http: [route('catalog', { mirror: { host: 'evil' } })] })).toEqual([
    refused('["evil.shop.svc.cluster.local"]'),
  ]);
  const mirrors = [{ destination: { host: 'evil' } }];
  expect(led({ hosts, http: [route('catalog', { mirrors })] })).toEqual([
    refused('["evil.shop.svc.cluster.local"]'),
  ]);
  expect(led({ hosts: ['*.local'], http: [route('evil')] })).toEqual([
    refused('["evil.shop.svc.cluster.local"]').replace(
      'catalog.shop.svc.cluster.local, which',
      'istio-eastwestgateway.istio-eastwest.svc.cluster.local and others, which',
    ),
  ]);
  for (const own of [{ directResponse: { status: 200 } }, { redirect: { authority: 'evil' } }])
    expect(led({ hosts, http: [own] })).toEqual([refused('"a redirect, delegate or response of its own"')]);
});

test('calls to a declared service are not changed, nor failed, on their way to it', () => {
  const changed = (spec: object) =>
    said(istio('VirtualService', spec)).filter((line) => line.includes('changes or fails'));
  const hosts = ['catalog'];
  const told = (received: string) => [
    `demo/custom: VirtualService shop/own changes or fails calls to catalog.shop.svc.cluster.local, which the mesh declares; received ["${received}"]; ` +
      `fix: ${elsewhere}; or, if it has to be so, give the reason in its annotation meshwright/accept-own-identity`,
  ];
  const headers = { request: { set: { 'x-user': 'admin' } } };
  const fault = { abort: { httpStatus: 503, percentage: { value: 100 } } };
  expect(changed({ hosts, http: [route('catalog', { fault })] })).toEqual(told('fault'));
  expect(changed({ hosts, http: [route('catalog', { rewrite: { uri: '/other' } })] })).toEqual(
    told('rewrite'),
  );
  expect(changed({ hosts, http: [route('catalog', { headers })] })).toEqual(told('headers'));
  const ofDestination = { destination: { host: 'catalog', port: { number: 50051 } }, headers };
  expect(changed({ hosts, http: [{ route: [ofDestination] }] })).toEqual(told('headers'));
  expect(changed({ hosts, http: [route('catalog', { timeout: '2s' })] })).toEqual([]);
  expect(changed({ hosts: ['other'], http: [route('other', { fault })] })).toEqual([]);
});

test('what leads to the service itself, is for gateways, or is about another host, is not', () => {
  expect(led({ hosts: ['catalog'], http: [route('catalog')] })).toEqual([]);
  expect(led({ hosts: ['catalog'], gateways: ['own'], http: [route('evil')] })).toEqual([]);
  expect(led({ hosts: ['other'], http: [route('evil')] })).toEqual([]);
});

test('a declared host outside the mesh is led nowhere else, and only in its own namespace is anything said of it', () => {
  const host = 'bank.example';
  const route = (to: string) => ({ hosts: [host], http: [{ route: [{ destination: { host: to } }] }] });
  const entry = (resolution: string) => ({
    ...{ hosts: [host], resolution, endpoints: [{ address: '10.0.0.9' }] },
    ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
  });
  const foundIn = (namespace: string, kind: string, spec: object, annotations = {}) =>
    problemsWith(
      (into) => {
        const type = { apiVersion: 'networking.istio.io/v1', kind };
        into.addCustom('40-services', type, { name: 'own', namespace, annotations }, { spec });
      },
      (mesh, shop) => {
        mesh.namespace('goods');
        const orders = catalogIn(shop);
        for (const [name, of] of [
          ['bank', host],
          ['evil', 'evil.example'],
        ] as const)
          orders.callsExternal(new ExternalService(shop, name, { host: of, port: 443, protocol: 'TLS' }));
      },
    );
  const reason = 'give the reason in its annotation meshwright/accept-own-identity';
  expect(foundIn('shop', 'VirtualService', route('evil.example'))).toEqual([
    `demo/custom: VirtualService shop/own routes calls to ${host}, which the mesh declares, elsewhere; received ["evil.example"]; fix: ${elsewhere}; or, if it has to be so, ${reason}`,
  ]);
  expect(foundIn('shop', 'ServiceEntry', entry('STATIC'))).toEqual([
    `demo/custom: ServiceEntry shop/own says where calls to ServiceEntry shop/bank of demo/shop/bank get to; received ["${host}"]; fix: ${elsewhere}; or, if it has to be so, ${reason}`,
  ]);
  const accepted = { 'meshwright/accept-own-identity': 'a test of the bank' };
  expect(foundIn('shop', 'ServiceEntry', entry('STATIC'), accepted)).toEqual([]);
  expect(foundIn('goods', 'ServiceEntry', entry('STATIC'))).toEqual([]);
  expect(foundIn('shop', 'VirtualService', route(host))).toEqual([]);
});

test('what has names of its own is not refused', () => {
  expect(
    said(
      deployment({}, { serviceAccountName: 'own' }),
      { apiVersion: 'v1', kind: 'ServiceAccount', body: {} },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        annotations: { 'kubernetes.io/service-account.name': 'own' },
        body: { type: 'kubernetes.io/service-account-token' },
      },
      istio('WorkloadEntry', { address: '10.0.0.9', labels: { app: 'own' } }),
    ),
  ).toEqual([]);
});
