import { expect, test } from '@jest/globals';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import * as typed from './index.ts';
import { problemsWith } from './testing/custom.ts';
import { catalogIn, clusters, problemsOf, twoClusters } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';

/** The constructs as plain JavaScript sees them: without types. */
type Loose = new (...given: unknown[]) => typed.Mesh<'east' | 'west'>;
const { ExternalService, GrpcService, HttpEdge, Mesh, MutualTls, ServiceLimits } =
  typed as unknown as Readonly<
    Record<'ExternalService' | 'GrpcService' | 'HttpEdge' | 'Mesh' | 'MutualTls' | 'ServiceLimits', Loose>
  >;

const catalog = { app: 'apps/catalog', service: CatalogService };

/** What synth says of a namespace `demo/shop` with what plain JavaScript declares in it. */
function said(declare: (shop: typed.Namespace<'east' | 'west'>) => void): readonly string[] {
  return withProject({}, (root) => {
    const mesh = twoClusters(root);
    declare(mesh.namespace('shop'));
    return problemsOf(mesh);
  });
}

test('a placement that is not a list of names', () => {
  const allowed = 'allowed east, west';
  const problems = said((shop) => {
    new GrpcService(shop, 'text', { ...catalog, placement: 'east' });
    new GrpcService(shop, 'mapping', { ...catalog, placement: {} });
    new GrpcService(shop, 'number', { ...catalog, placement: [5] });
    new GrpcService(shop, 'none', { ...catalog, placement: null, tracing: null, versions: null });
    new GrpcService(shop, 'versions', {
      ...catalog,
      versions: { a: { placement: 'east' }, b: { placement: [{}] } },
    });
  });
  expect(problems).toEqual([
    `demo/shop/text: placement: is not a list of clusters; received "east"; ${allowed}`,
    `demo/shop/mapping: placement: is not a list of clusters; received {}; ${allowed}`,
    'demo/shop/number: placement: the mesh has no such cluster; received 5; allowed east, west',
    `demo/shop/versions: versions.a: placement: is not a list of clusters; received "east"; ${allowed}`,
    'demo/shop/versions: versions.b: placement: the service does not run there; received {}; allowed east, west',
  ]);
});

test('properties that are missing, or of a wrong kind', () => {
  const problems = said((shop) => {
    new GrpcService(shop, 'stock');
    new GrpcService(shop, 'other', { app: 5, service: 'CatalogService' });
    new GrpcService(shop);
    new HttpEdge(shop, 'edge');
    new ExternalService(shop, 'bank');
    const sound = catalogIn(shop);
    new ServiceLimits(sound, 'limits');
    new MutualTls(sound, 'tls');
    new MutualTls(shop, 'tls', { mode: 'STRICT', ports: null });
  });
  const label =
    'allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end, starting with a letter';
  const folder = 'allowed its path relative to the project root, such as apps/catalog';
  const descriptor =
    'allowed a service that is generated from proto/, such as CatalogService in catalog_pb.js';
  expect(problems).toEqual([
    `demo/shop/stock: app: is not the folder of an app; received nothing; ${folder}`,
    `demo/shop/stock: service: is not the descriptor of a proto service; received nothing; ${descriptor}`,
    `demo/shop/other: app: is not the folder of an app; received 5; ${folder}`,
    `demo/shop/other: service: is not the descriptor of a proto service; received "CatalogService"; ${descriptor}`,
    `demo/shop/(unnamed): the name of the service is not valid; received nothing; ${label}`,
    `demo/shop/(unnamed): app: is not the folder of an app; received nothing; ${folder}`,
    `demo/shop/(unnamed): service: is not the descriptor of a proto service; received nothing; ${descriptor}`,
    'demo/shop/edge: expose: there is nothing to expose; received nothing; fix: name a method, or remove the edge',
    'demo/shop/bank: host: is not a host name; received nothing; ' +
      'allowed a fully qualified host name in lower case, such as payments.example',
    'demo/shop/bank: port: is not a port; received nothing; allowed a whole number from 1 to 65535, except 15000 to 15099',
    'demo/shop/bank: protocol: is not a protocol for an external service; received nothing; allowed GRPC, HTTP, TCP, TLS',
    'demo/shop/catalog/limits: rateLimits: is not a list; received nothing',
    'demo/shop/catalog/tls: mode: is not a mode of mutual TLS; received nothing; allowed STRICT, PERMISSIVE',
  ]);
});

test('null in the place of what is optional', () => {
  const problems = said((shop) => {
    const sound = catalogIn(shop);
    new HttpEdge(shop, 'edge', { expose: [sound], cors: null, tracing: null, hosts: null });
    new MutualTls(sound, 'tls', { mode: 'STRICT', ports: null });
    new ServiceLimits(sound, 'limits', { rateLimits: [{ method: null, perSecond: 1, by: 'client' }] });
    new HttpEdge(shop, 'limited', {
      expose: [sound],
      hosts: ['a.example'],
      rateLimits: [{ method: null, perSecond: 1, by: 'client' }],
    });
  });
  const no = 'is not a method of a declared service; received null; allowed SERVICE.method.NAME';
  expect(problems).toEqual([
    `demo/shop/catalog/limits: rateLimits[0].method: ${no}`,
    `demo/shop/limited: rateLimits[0].method: ${no}`,
  ]);
});

test('a construct in a wrong scope', () => {
  const problems = said((shop) => {
    const edge = new HttpEdge(shop, 'edge', { expose: [catalogIn(shop)] });
    new MutualTls(shop.mesh, 'tls', { mode: 'STRICT' });
    new ServiceLimits(shop, 'limits', { rateLimits: [{ perSecond: 1, by: 'all' }] });
    new ServiceLimits(edge, 'limits', { rateLimits: [{ perSecond: 1, by: 'all' }] });
  });
  const limits = 'service limits belong to a GrpcService; fix: pass the service as its scope';
  expect(problems).toEqual([
    `demo/shop/edge/limits: ${limits}`,
    `demo/shop/limits: ${limits}`,
    'demo/tls: MutualTls applies to a namespace or a service; the mesh itself is STRICT; ' +
      'fix: pass one of them as its scope',
  ]);
  const mesh = twoClusters('.');
  const wrong = 'is declared in the wrong scope';
  expect(() => new GrpcService(mesh, 'a', catalog)).toThrow(
    `demo/a: ${wrong}; received "demo"; allowed a namespace of the mesh`,
  );
  expect(() => new ExternalService(mesh, 'a', {})).toThrow(
    `demo/a: ${wrong}; received "demo"; allowed a namespace of the mesh`,
  );
  expect(() => new HttpEdge(undefined, 'a', {})).toThrow(
    `a: ${wrong}; received nothing; allowed a construct of the mesh`,
  );
});

test('a mesh of which nothing is said', () => {
  withProject({}, (root) => {
    const mesh = new Mesh('demo');
    new GrpcService(mesh.namespace('shop'), 'catalog', catalog);
    const allowed =
      'allowed lab, released({ imageHub, istioTag }), existing({ imageHub, istio }), or a whole Platform of your own';
    expect(problemsOf(mesh)).toEqual([
      'demo: trustDomain: is not a trust domain; received nothing; ' +
        'allowed labels of 1 to 63 of a-z, 0-9 and inner hyphens, separated by dots, up to 255 characters in total, such as shop.example',
      'demo: clusters: there is no cluster; fix: declare at least one',
      'demo: root: is not a path; received nothing; allowed the path of the project root',
      'demo: platform: is not a platform: it lacks imageHub, istio, controlPlane, cni, sidecar, gateway; ' +
        `received nothing; ${allowed}`,
    ]);
    const sound = { root, trustDomain: 'demo.example', clusters, platform: typed.lab, tracing: null };
    expect(problemsOf(new Mesh('demo', sound))).toEqual([]);
    const platform = { ...typed.lab, imageHub: 'hub', cni: undefined, gateway: 1, sidecar: {} };
    expect(problemsOf(new Mesh('demo', { ...sound, platform }))[0]).toMatch(
      /^demo: platform: is not a platform: it lacks cni, gateway; received \{"imageHub":"hub",.*; allowed lab, /,
    );
    expect(problemsOf(new Mesh(undefined, sound))[0]).toMatch(
      /: the name of the mesh is not valid; received nothing; allowed a DNS label: /,
    );
  });
});

test('one object that two constructs add, in one stage or in two', () => {
  const problems = problemsWith(
    (into) => {
      for (const stage of ['40-services', '60-traffic'] as const) {
        into.addIstio(stage, 'demo/own', 'Sidecar', { name: 'catalog', namespace: 'shop' }, {});
      }
      into.addIstio('40-services', 'demo/own', 'Sidecar', { name: 'catalog', namespace: 'none' }, {});
    },
    (_, shop) => catalogIn(shop),
  );
  expect(problems).toEqual([
    'demo/own: adds the Sidecar shop/catalog, as does demo/shop/catalog; fix: rename one of them',
  ]);
});

test('what belongs to others, with properties that are missing or of a wrong kind', () => {
  const { existingCaller, existingService } = typed as unknown as Readonly<
    Record<'existingCaller' | 'existingService', (...given: unknown[]) => typed.MeshConstruct>
  >;
  const problems = said((shop) => {
    const { mesh } = shop;
    existingService(mesh);
    existingService(mesh, { namespace: 'shop', name: 'Stock', service: CatalogService, port: '50051' });
    existingService(mesh, {
      namespace: 'shop',
      name: 'x',
      service: CatalogService,
      placement: ['eats'],
      ports: 1,
    });
    existingCaller(mesh, { namespace: 'shop', serviceAccount: 'a b', calls: [] });
    existingCaller(mesh, null);
    const job = existingCaller(mesh, { namespace: 'shop', serviceAccount: 'job' });
    (job as unknown as { readonly calls: (...given: unknown[]) => void }).calls('catalog', null);
  });
  const label = 'allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end';
  const account = 'allowed the name of a Kubernetes service account: DNS labels, separated by dots';
  expect(problems).toEqual([
    `demo/existingService(undefined/undefined): namespace: is not the name of a namespace; received nothing; ${label}`,
    `demo/existingService(undefined/undefined): name: is not the name of a Service; received nothing; ${label}`,
    'demo/existingService(undefined/undefined): service: is not the descriptor of a proto service; received nothing; ' +
      'allowed a service that is generated from proto/, such as CatalogService in catalog_pb.js',
    `demo/existingService(shop/Stock): name: is not the name of a Service; received "Stock"; ${label}`,
    'demo/existingService(shop/Stock): port: is not a port; received "50051"; allowed 1 to 65535',
    'demo/existingService(shop/x): ports: unknown key; received "ports"; allowed namespace, name, service, port, placement; fix: did you mean port?',
    'demo/existingService(shop/x): placement: the mesh has no such cluster; received "eats"; allowed east, west; fix: did you mean east?',
    'demo/existingCaller(shop/a b): calls: unknown key; received "calls"; allowed namespace, serviceAccount; fix: remove it; a construct of your own that reads it passes on the other properties only',
    `demo/existingCaller(shop/a b): serviceAccount: is not a service account; received "a b"; ${account}`,
    `demo/existingCaller(undefined/undefined): namespace: is not the name of a namespace; received nothing; ${label}`,
    `demo/existingCaller(undefined/undefined): serviceAccount: is not a service account; received nothing; ${account}`,
    'demo/existingCaller(shop/job): calls[0]: is not a method, port, or route of a declared service; received "catalog"; allowed SERVICE.method.NAME, SERVICE.port.NAME of a TcpService, or SERVICE.route(VERB, PATH) of an HttpService',
    'demo/existingCaller(shop/job): calls[1]: is not a method, port, or route of a declared service; received null; allowed SERVICE.method.NAME, SERVICE.port.NAME of a TcpService, or SERVICE.route(VERB, PATH) of an HttpService',
  ]);
  for (const [declare, title] of [
    [existingService, 'existingService'],
    [existingCaller, 'existingCaller'],
  ] as const) {
    expect(() => declare({ namespace: 'shop' })).toThrow(
      `${title}: is declared in the wrong scope; received {"namespace":"shop"}; allowed the mesh`,
    );
  }
});
