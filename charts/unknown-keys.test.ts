import { describe, expect, test } from '@jest/globals';
import { ProblemsError } from '../core/problem.ts';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import * as typed from './index.ts';
import { problemsWith } from './testing/custom.ts';
import { clusters, problemsOf } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';

/** The constructs as plain JavaScript sees them: without types. */
type Loose = new (...given: unknown[]) => typed.MeshConstruct & typed.Mesh<'east'>;
const library = typed as unknown as Readonly<Record<keyof typeof typed, Loose>>;
const { ExternalService, GrpcService, HttpEdge, HttpService, Mesh, MutualTls } = library;
const { OwnObject, ServiceLimits, TcpService, TrafficPolicy } = library;

const jwt = { issuer: 'https://id.example', audiences: ['shop'], jwksUri: 'https://id.example/keys' };
const { platform } = { platform: typed.lab };
const catalog = { app: 'apps/catalog', service: CatalogService, versions: { a: {}, b: {} } };
type Wrong = Readonly<Record<string, unknown>>;
type Declared = ReturnType<typeof declareWith>;

/** A mesh with a service of two versions, in whose properties plain JavaScript may put anything. */
function declareWith(root: string, props: object = {}) {
  const sound = { root, trustDomain: 'demo.example', clusters, platform };
  const mesh = new Mesh('demo', { ...sound, ...props });
  return { mesh, shop: mesh.namespace('shop') };
}

const inMesh = (props: (wrong: Wrong) => object) => (wrong: Wrong, root: string) =>
  declareWith(root, props(wrong)).mesh;
const inNamespace =
  (declare: (shop: Declared['shop'], wrong: Wrong) => void) => (wrong: Wrong, root: string) => {
    const { mesh, shop } = declareWith(root, { tracing: { collector: { host: 'otel.example' } } });
    declare(shop, wrong);
    return mesh;
  };
const ofCatalog = (declare: (service: Service, wrong: Wrong) => void) =>
  inNamespace((shop, wrong) => {
    declare(new GrpcService(shop, 'catalog', catalog) as unknown as Service, wrong);
  });
type Service = typed.GrpcService<typeof CatalogService, 'east', 'a' | 'b'>;
const edge = (props: (wrong: Wrong, service: Service) => object) =>
  ofCatalog((service, wrong) => {
    new HttpEdge(service.namespace, 'edge', { expose: [service], ...props(wrong, service) });
  });
const policy = (props: (wrong: Wrong, service: Service) => object) =>
  ofCatalog((service, wrong) => new TrafficPolicy(service, 'traffic', props(wrong, service)));
const rule = (props: (wrong: Wrong, service: Service) => object) =>
  policy((wrong, service) => {
    const { getProduct: method } = service.method;
    return { weights: { a: 50, b: 50 }, rules: [{ method, to: 'a', ...props(wrong, service) }] };
  });
const ofPlatform = (change: (wrong: Wrong) => object) =>
  inMesh((wrong) => ({ platform: { ...platform, ...change(wrong) } }));
const gateway = (address: (wrong: Wrong) => object) =>
  inMesh((wrong) => ({ gateways: { eastWest: address(wrong) } }));
const nodePort = { type: 'NodePort', addresses: ['192.0.2.1'], ports: { tls: 31443 } };

/** Whose the object is, its keys, and how a mesh is declared that has a wrong one in it. */
const objects: readonly [string, string, (wrong: Wrong, root: string) => typed.Mesh<'east'>][] = [
  ['demo', 'root, trustDomain, clusters, platform, gateways, tracing, traffic, comments', inMesh((w) => w)],
  [
    'demo: clusters.east',
    'network, region, zone, zones, istio, gateways',
    inMesh((wrong) => ({ clusters: { ...clusters, east: { ...clusters.east, ...wrong } } })),
  ],
  [
    'demo: clusters.east.istio',
    'revisions, use, namespaces',
    inMesh((wrong) => {
      const istio = { revisions: { default: {} }, ...wrong };
      return { clusters: { ...clusters, east: { ...clusters.east, istio } } };
    }),
  ],
  [
    'demo: clusters.east.istio.revisions.default',
    'tag, hub',
    inMesh((wrong) => {
      const istio = { revisions: { default: wrong } };
      return { clusters: { ...clusters, east: { ...clusters.east, istio } } };
    }),
  ],
  ['demo: gateways', 'eastWest, ingress', inMesh((wrong) => ({ gateways: wrong }))],
  [
    'demo: gateways.eastWest',
    'type, sources, annotations, class',
    gateway((wrong) => ({ type: 'LoadBalancer', sources: ['10.0.0.0/8'], ...wrong })),
  ],
  [
    'demo: gateways.eastWest.sources',
    'any',
    gateway((wrong) => ({ type: 'LoadBalancer', sources: { any: 'a reason', ...wrong } })),
  ],
  ['demo: gateways.eastWest', 'type, addresses, ports', gateway((wrong) => ({ ...nodePort, ...wrong }))],
  [
    'demo: gateways.eastWest.ports',
    'tls',
    gateway((wrong) => ({ ...nodePort, ports: { tls: 31443, ...wrong } })),
  ],
  [
    'demo: platform',
    'imageHub, imagePullSecrets, istio, controlPlane, cni, sidecar, gateway',
    ofPlatform((wrong) => wrong),
  ],
  [
    'demo: platform.istio',
    'hub, tag, proxy',
    ofPlatform((wrong) => ({ istio: { ...platform.istio, ...wrong } })),
  ],
  [
    'demo: platform.controlPlane',
    'minReplicas, maxReplicas, requests',
    ofPlatform((wrong) => ({ controlPlane: { ...platform.controlPlane, ...wrong } })),
  ],
  ['demo: platform.cni', 'requests', ofPlatform((wrong) => ({ cni: { ...platform.cni, ...wrong } }))],
  [
    'demo: platform.cni.requests',
    'cpu, memory',
    ofPlatform((wrong) => ({ cni: { requests: { ...platform.cni.requests, ...wrong } } })),
  ],
  [
    'demo: platform.sidecar',
    'requests, limits',
    ofPlatform((wrong) => ({ sidecar: { ...platform.sidecar, ...wrong } })),
  ],
  [
    'demo: platform.sidecar.limits',
    'cpu, memory',
    ofPlatform((wrong) => {
      return { sidecar: { ...platform.sidecar, limits: { ...platform.sidecar.limits, ...wrong } } };
    }),
  ],
  [
    'demo: platform.gateway',
    'replicas, nodePorts, sources, requests, limits',
    ofPlatform((wrong) => ({ gateway: { ...platform.gateway, ...wrong } })),
  ],
  [
    'demo: tracing',
    'collector, samplingPercent',
    inMesh((wrong) => ({ tracing: { collector: { host: 'otel.example' }, ...wrong } })),
  ],
  [
    'demo: tracing.collector',
    'host, port',
    inMesh((wrong) => ({ tracing: { collector: { host: 'otel.example', ...wrong } } })),
  ],
  [
    'demo/shop/settings',
    'object, stage, placement',
    inNamespace((shop, wrong) => {
      const object = { apiVersion: 'v1', kind: 'ConfigMap', data: {} };
      new OwnObject(shop, 'settings', { object, ...wrong });
    }),
  ],
  [
    'demo/shop/catalog',
    'app, service, services, placement, versions, tracing, pod, clusters',
    inNamespace((shop, wrong) => new GrpcService(shop, 'catalog', { ...catalog, ...wrong })),
  ],
  [
    'demo/shop/catalog',
    'image, service, services, placement, versions, tracing, pod, clusters, imagePullSecrets, port, ports, servicePort, env, resources, replicas, ' +
      'autoscaling, shutdown, command, args, probes, user, metrics, httpGateway',
    inNamespace((shop, wrong) => {
      const { service } = catalog;
      new GrpcService(shop, 'catalog', { image: 'catalog:1.4.0', port: 7070, service, ...wrong });
    }),
  ],
  [
    'demo/shop/redis',
    'image, imagePullSecrets, env, resources, replicas, autoscaling, shutdown, command, args, user, metrics, pod, clusters, ports, placement, replicated, stateful, probes',
    inNamespace((shop, wrong) => {
      new TcpService(shop, 'redis', { image: 'redis:8.2.1', ports: { redis: 6379 }, ...wrong });
    }),
  ],
  [
    'demo/shop/front',
    'image, imagePullSecrets, env, resources, replicas, autoscaling, shutdown, command, args, user, metrics, pod, clusters, port, servicePort, placement, failover, timeoutMs, retries, probes',
    inNamespace((shop, wrong) => {
      new HttpService(shop, 'front', { image: 'front:3.1.0', port: 8080, ...wrong });
    }),
  ],
  [
    'demo/shop/catalog: versions.a',
    'image, placement, replicas',
    inNamespace((shop, wrong) => {
      new GrpcService(shop, 'catalog', { ...catalog, versions: { a: wrong, b: {} } });
    }),
  ],
  [
    'demo/shop/catalog: tracing',
    'samplingPercent',
    inNamespace((shop, wrong) => {
      new GrpcService(shop, 'catalog', { ...catalog, tracing: { samplingPercent: 1, ...wrong } });
    }),
  ],
  [
    'demo/shop/edge',
    'expose, protocols, hosts, jwt, rateLimits, cors, openapi, tls, placement, tracing, app',
    edge((wrong) => wrong),
  ],
  [
    'demo/shop/edge: jwt',
    'issuer, audiences, claims, except, rules, jwksUri, jwks',
    edge((wrong) => ({ jwt: { ...jwt, ...wrong } })),
  ],
  [
    'demo/shop/edge: jwt.rules[0]',
    'method, claim, values',
    edge((wrong, { method }) => ({
      jwt: { ...jwt, rules: [{ method: method.getProduct, claim: 'role', values: ['a'], ...wrong }] },
    })),
  ],
  [
    'demo/shop/edge: rateLimits[0]',
    'method, by, perSecond, perMinute, perHour, burst',
    edge((wrong) => ({ rateLimits: [{ by: 'all', perSecond: 1, ...wrong }] })),
  ],
  [
    'demo/shop/edge: cors',
    'origins, methods, headers, exposeHeaders, credentials, maxAgeSeconds',
    edge((wrong) => ({ cors: { origins: ['*'], ...wrong } })),
  ],
  [
    'demo/shop/edge: cors.origins[0]',
    'regex',
    edge((wrong) => ({ cors: { origins: [{ regex: 'a', ...wrong }] } })),
  ],
  ['demo/shop/edge: tls', 'secret, httpRedirect', edge((wrong) => ({ tls: { secret: 'a', ...wrong } }))],
  [
    'demo/shop/edge: tracing',
    'samplingPercent',
    edge((wrong) => ({ tracing: { samplingPercent: 1, ...wrong } })),
  ],
  [
    'demo/shop/bank',
    'host, port, protocol, addresses, ports, targetPort, tls, plaintext',
    inNamespace((shop, wrong) => {
      new ExternalService(shop, 'bank', { host: 'bank.example', port: 443, protocol: 'TLS', ...wrong });
    }),
  ],
  [
    'demo/shop/tls',
    'mode, ports',
    inNamespace((shop, wrong) => new MutualTls(shop, 'tls', { mode: 'STRICT', ...wrong })),
  ],
  [
    'demo/shop/catalog/limits',
    'rateLimits',
    ofCatalog((service, wrong) => {
      new ServiceLimits(service, 'limits', { rateLimits: [{ by: 'all', perSecond: 1 }], ...wrong });
    }),
  ],
  [
    'demo/shop/catalog/limits: rateLimits[0]',
    'method, by, perSecond, perMinute, perHour, burst',
    ofCatalog((service, wrong) => {
      new ServiceLimits(service, 'limits', { rateLimits: [{ by: 'all', perSecond: 1, ...wrong }] });
    }),
  ],
  [
    'demo/shop/catalog/traffic',
    'failover, distribution, weights, rules, connections, outliers',
    policy((wrong) => wrong),
  ],
  [
    'demo/shop/catalog/traffic: connections',
    'maxRequests, maxPendingRequests, maxRequestsPerConnection, idleTimeoutSeconds',
    policy((wrong) => ({ connections: wrong })),
  ],
  [
    'demo/shop/catalog/traffic: outliers',
    'consecutiveErrors, intervalSeconds, ejectionSeconds, maxEjectionPercent',
    policy((wrong) => ({ outliers: wrong })),
  ],
  [
    'demo/shop/catalog/traffic: rules[0]',
    'method, metadata, timeoutMs, retries, to, fault, mirror',
    rule((wrong) => wrong),
  ],
  [
    'demo/shop/catalog/traffic: rules[0].retries',
    'attempts, on, perTryTimeoutMs',
    rule((wrong) => ({ retries: { attempts: 1, ...wrong } })),
  ],
  [
    'demo/shop/catalog/traffic: rules[0].mirror',
    'to, percent',
    rule((wrong) => ({ mirror: { to: 'b', ...wrong } })),
  ],
  [
    'demo/shop/catalog/traffic: rules[0].fault',
    'status, delayMs, percent',
    rule((wrong) => ({ fault: { delayMs: 1, percent: 1, ...wrong } })),
  ],
  [
    'demo/shop/catalog/traffic: rules[0].metadata.x-a',
    'exact, prefix, regex',
    rule((wrong) => ({ metadata: { 'x-a': { exact: 'a', ...wrong } } })),
  ],
];

describe('D1: a key that nobody reads is refused', () => {
  test.each(objects)('%s: %s', (where, allowed, declare) => {
    const [first = ''] = allowed.split(', ');
    const near = `${first}s`;
    const at = `${where}${where.includes(': ') ? '.' : ': '}`;
    const problems = withProject({}, (root) =>
      problemsOf(declare({ nosuchkey: undefined, [near]: 1 }, root)),
    );
    expect(problems).toEqual([
      `${at}nosuchkey: unknown key; received "nosuchkey"; allowed ${allowed}; fix: remove it; a construct of your own that reads it passes on the other properties only`,
      `${at}${near}: unknown key; received "${near}"; allowed ${allowed}; fix: did you mean ${first}?`,
    ]);
  });

  test('of what a construct of one’s own says of its objects', () => {
    const wrong = { nosuchkey: 1, label: { a: 'b' }, differs: { because: 'it does', nosuchkey: 1 } };
    const problems = problemsWith((into) => {
      into.addIstio('40-services', 'demo/custom', 'Sidecar', { name: 'a', namespace: 'shop', ...wrong }, {});
    });
    const keys = 'name, namespace, app, labels, annotations, differs';
    const at = 'demo/custom: Sidecar shop/a: metadata';
    expect(problems).toEqual([
      `${at}.nosuchkey: unknown key; received "nosuchkey"; allowed ${keys}; fix: remove it; a construct of your own that reads it passes on the other properties only`,
      `${at}.label: unknown key; received "label"; allowed ${keys}; fix: did you mean labels?`,
      `${at}.differs.nosuchkey: unknown key; received "nosuchkey"; allowed because, clusters, paths; fix: remove it; a construct of your own that reads it passes on the other properties only`,
    ]);
  });

  test('of the options of a platform', () => {
    const options = { imageHub: 'registry.example/shop', istioTag: '1.29.2', istiohub: 'a' };
    const wrong = { where: 'released: istiohub', what: 'unknown key', received: 'istiohub' };
    const right = {
      allowed: 'imageHub, istioTag, istioHub, imagePullSecrets',
      fix: 'did you mean istioHub?',
    };
    expect(() => typed.released(options)).toThrow(new ProblemsError([{ ...wrong, ...right }]));
  });

  test('each construct that is declared is in the table', () => {
    const declared = Object.entries<unknown>(typed).flatMap(([name, one]) =>
      typeof one === 'function' && one.prototype instanceof typed.MeshConstruct ? [name] : [],
    );
    // Keys of a Namespace are in existing-refused.test.ts, those of jobs in constructs/jobs/job-refused.test.ts.
    expect(declared.sort().join(', ')).toBe(
      'CronJob, ExternalService, GrpcService, HttpEdge, HttpService, Job, MutualTls, Namespace, OwnObject, ServiceLimits, TcpService, TrafficPolicy',
    );
  });
});
