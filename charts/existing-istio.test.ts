import { describe, expect, test } from '@jest/globals';
import { ExternalService } from './constructs/access/external-service.ts';
import { HttpEdge } from './constructs/edge/http-edge.ts';
import { unseenRetries, virtualService } from './constructs/traffic/virtual-service.ts';
import { MutualTls } from './constructs/workload/mutual-tls.ts';
import type { KubernetesObject } from './model/mesh-model.ts';
import { synthesize } from './synth.ts';
import { jwt } from './testing/edge.ts';
import { onExisting, shopOnExisting, theirGateways } from './testing/existing.ts';
import { expectGolden } from './testing/golden.ts';
import { objectOf, objectsOf } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';

const ours = { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'demo' };

/** What a mesh renders for `east`, after a declaration in it. */
function rendered(
  declare: (shop: ReturnType<typeof shopOnExisting>) => void,
  ...given: Parameters<typeof onExisting> extends [string, ...infer Rest] ? Rest : never
): readonly KubernetesObject[] {
  return withProject({}, (root) => {
    const mesh = onExisting(root, ...given);
    declare(shopOnExisting(mesh));
    return objectsOf(synthesize(mesh), 'east');
  });
}

const inNamespace = (objects: readonly KubernetesObject[], namespace: string) =>
  objects.filter(({ metadata }) => metadata.namespace === namespace);
const find = (objects: readonly KubernetesObject[], kind: string, name: string) =>
  objects.find((object) => object.kind === kind && object.metadata.name === name);

const joined = { ingress: theirGateways };
const edge = ({ shop, catalog, orders }: ReturnType<typeof shopOnExisting>) =>
  new HttpEdge(shop, 'edge', {
    expose: [catalog.method.getProduct, orders.method.getOrder],
    hosts: ['api.example'],
    jwt: { ...jwt, claims: { sub: 'x-user' }, except: [catalog.method.getProduct] },
    rateLimits: [{ by: 'client', perSecond: 5 }],
    cors: { origins: ['https://shop.example'] },
    openapi: true,
    tls: { secret: 'api-tls' },
  });

describe('what stands in a cluster with an Istio of others', () => {
  test('is in the namespaces of the mesh alone, and makes those that are not shared', () => {
    for (const [options, namespaces] of [
      [{}, ['demo-ingress', 'shop', 'team-a']],
      [joined, ['shop', 'team-a']],
    ] as const) {
      const objects = rendered(edge, options);
      const used = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
      expect([...used].sort()).toEqual(namespaces);
      const wide = objects.filter(({ metadata }) => metadata.namespace === undefined);
      expect(wide.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
        namespaces.filter((name) => name !== 'team-a').map((name) => `Namespace ${name}`),
      );
    }
  });

  test('has no part of a control plane, no CA, and no gateway between networks', () => {
    const objects = rendered(edge);
    const kinds = new Set(objects.map(({ kind }) => kind));
    for (const kind of ['IstioOperator', 'ClusterRole', 'ClusterRoleBinding', 'Secret'])
      expect(kinds).not.toContain(kind);
    expect(JSON.stringify(objects)).not.toMatch(/eastwest|istio-system|remote-reader|15443/);
    const stages = withProject({}, (root) => {
      const mesh = onExisting(root);
      shopOnExisting(mesh);
      return new Set(synthesize(mesh).map(({ stage }) => stage));
    });
    expect([...stages]).toEqual(['00-namespaces', '30-mesh', '40-services', '50-workloads', '60-traffic']);
  });

  test('holds for pods of the mesh alone: every policy and filter selects their labels', () => {
    const objects = rendered(edge);
    expectGolden(import.meta.url, 'existing-shared-namespace', inNamespace(objects, 'team-a'));
    const selecting = inNamespace(objects, 'team-a').flatMap((object) => {
      const spec = (object['spec'] ?? {}) as Readonly<Record<string, Record<string, unknown>>>;
      const by = spec['selector']?.['matchLabels'] ?? spec['workloadSelector']?.['labels'];
      const ofService = object.kind === 'Service' ? spec['selector'] : undefined;
      const isIstio = /istio\.io/.test(object.apiVersion);
      return isIstio || by !== undefined || ofService !== undefined ? [{ object, by: by ?? ofService }] : [];
    });
    expect(selecting.length).toBeGreaterThan(10);
    for (const { object, by } of selecting) {
      // These are about hosts, not about pods.
      if (['DestinationRule', 'VirtualService'].includes(object.kind)) continue;
      expect({ kind: object.kind, name: object.metadata.name, by }).toMatchObject({ by: ours });
    }
  });
});

describe('what the mesh configuration gives a mesh of its own', () => {
  test('each namespace has for pods of the mesh: deny, mutual TLS, logs, ages of connections, refused calls', () => {
    const objects = rendered(() => undefined);
    expectGolden(
      import.meta.url,
      'existing-defaults',
      inNamespace(objects, 'shop').filter(({ metadata }) => metadata.name.endsWith('.demo')),
    );
    for (const namespace of ['shop', 'team-a']) {
      const specs = inNamespace(objects, namespace).filter(({ metadata }) => metadata.name.endsWith('.demo'));
      const selector = { matchLabels: ours };
      expect(specs).toMatchObject([
        { kind: 'AuthorizationPolicy', spec: { selector } },
        { kind: 'EnvoyFilter', metadata: { name: 'connection-age.demo' } },
        { kind: 'PeerAuthentication', spec: { selector, mtls: { mode: 'STRICT' } } },
        { kind: 'EnvoyFilter', metadata: { name: 'refused-calls.demo' } },
        { kind: 'Telemetry', spec: { selector, accessLogging: [{ providers: [{ name: 'envoy' }] }] } },
      ]);
    }
  });

  test('each call has for retries: those that no server has seen, and of streams none', () => {
    const objects = rendered(edge);
    const unseen = { attempts: 2, retryOn: 'connect-failure,refused-stream' };
    const routes = objects
      .filter(({ kind }) => kind === 'VirtualService')
      .flatMap(({ spec }) => (spec as { readonly http: readonly { readonly retries: object }[] }).http);
    expect(routes).not.toHaveLength(0);
    for (const { retries } of routes) expect([unseen, { attempts: 0 }]).toContainEqual(retries);
    // Also of a service whose routes say nothing else.
    const plain = {
      host: 'a.shop.svc.cluster.local',
      ports: [],
      methods: [],
      versioned: false,
      policy: undefined,
    };
    expect(virtualService(plain)).toBeUndefined();
    expect(virtualService({ ...plain, retries: unseenRetries })).toMatchObject({
      http: [{ retries: unseen }],
    });
  });

  test('each proxy has by annotations of its pod, and a shared namespace gets its pods injected', () => {
    const objects = rendered(edge);
    const template = (name: string) =>
      (
        find(objects, 'Deployment', name)?.['spec'] as {
          readonly template: { readonly metadata: Record<'labels' | 'annotations', Record<string, string>> };
        }
      ).template.metadata;
    const inShared = template('orders');
    expect(inShared.labels).toMatchObject({
      ...ours,
      'istio.io/rev': 'prod-stable',
      'sidecar.istio.io/inject': 'true',
    });
    expect(JSON.parse(inShared.annotations['proxy.istio.io/config'] ?? '')).toMatchObject({
      holdApplicationUntilProxyStarts: true,
      proxyMetadata: { PROXY_CONFIG_XDS_AGENT: 'true' },
      proxyStatsMatcher: { inclusionRegexps: [expect.any(String), expect.any(String)] },
    });
    expect(inShared.annotations).toMatchObject({
      'sidecar.istio.io/proxyCPU': '100m',
      'sidecar.istio.io/proxyMemoryLimit': '1Gi',
    });
    expect(template('catalog').labels).not.toHaveProperty('sidecar.istio.io/inject');
    expect(find(objects, 'Namespace', 'shop')).toMatchObject({
      metadata: {
        labels: { 'istio.io/rev': 'prod-stable', 'pod-security.kubernetes.io/enforce': 'restricted' },
      },
    });
    // A gateway keeps what it says itself, beside what all proxies have.
    const config = template('demo-ingress').annotations['proxy.istio.io/config'] ?? '';
    expect(JSON.parse(config)).toMatchObject({
      terminationDrainDuration: '25s',
      proxyMetadata: {
        PROXY_CONFIG_XDS_AGENT: 'true',
        ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: expect.any(String),
      },
    });
  });

  test('the control plane without a revision injects by its own label', () => {
    const objects = rendered(() => undefined, { istio: {} });
    expect(find(objects, 'Namespace', 'shop')).toMatchObject({
      metadata: { labels: { 'istio-injection': 'enabled' } },
    });
    expect(JSON.stringify(objects)).not.toContain('istio.io/rev');
    expect(find(objects, 'Deployment', 'orders')).toMatchObject({
      spec: { template: { metadata: { labels: { 'sidecar.istio.io/inject': 'true' } } } },
    });
  });

  test('without the CNI agent, namespaces let pods have the init container that takes its place', () => {
    const objects = rendered(() => undefined, { istio: { cni: false } });
    expect(find(objects, 'Namespace', 'shop')).toMatchObject({
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    });
  });
});

describe('of what Istio heeds only one of for each pod', () => {
  test('a workload that says something of mutual TLS has its own, and so have its neighbours', () => {
    const objects = rendered(({ catalog, shop, orders }) => {
      new MutualTls(shop, 'tls', { mode: 'PERMISSIVE' });
      new MutualTls(catalog, 'tls', { mode: 'STRICT' });
      new MutualTls(orders, 'tls', { mode: 'PERMISSIVE' });
    });
    const found = objects.filter(({ kind }) => kind === 'PeerAuthentication');
    expect(found).toMatchObject([
      { metadata: { name: 'inventory-mutual-tls', namespace: 'team-a' }, spec: { mtls: { mode: 'STRICT' } } },
      { metadata: { name: 'catalog-mutual-tls', namespace: 'shop' }, spec: { mtls: { mode: 'STRICT' } } },
      {
        metadata: { name: 'orders-mutual-tls', namespace: 'team-a' },
        spec: { mtls: { mode: 'PERMISSIVE' } },
      },
    ]);
    const ofNamespace = rendered(({ shop }) => new MutualTls(shop, 'tls', { mode: 'PERMISSIVE' }));
    expect(find(inNamespace(ofNamespace, 'shop'), 'PeerAuthentication', 'mutual-tls.demo')).toMatchObject({
      metadata: {
        annotations: { 'meshwright/accept-strict-mutual-tls': 'declared by the MutualTls demo/shop/tls' },
      },
      spec: { selector: { matchLabels: ours }, mtls: { mode: 'PERMISSIVE' } },
    });
  });

  test('traces go to the collector of others, which is known in whatever namespace', () => {
    const tracing = { collector: { host: 'otel.observability.svc.cluster.local' }, samplingPercent: 5 };
    const objects = rendered(edge, {}, { tracing });
    expect(objects.filter(({ kind }) => kind === 'ServiceEntry')).toEqual([]);
    expect(find(objects, 'Telemetry', 'telemetry.demo')).toMatchObject({
      spec: {
        accessLogging: [{ providers: [{ name: 'envoy' }] }],
        tracing: [{ providers: [{ name: 'otel-collector' }], randomSamplingPercentage: 5 }],
      },
    });
    expect(find(objects, 'Sidecar', 'inventory')).toMatchObject({
      spec: { egress: [{ hosts: ['*/otel.observability.svc.cluster.local'] }] },
    });
  });
});

describe('who sees the services', () => {
  test('those that are called across networks everybody, unless it is said where the gateways between are', () => {
    const exported = (options: Parameters<typeof onExisting>[1]) => {
      const objects = rendered(() => undefined, options);
      return {
        service: find(objects, 'Service', 'catalog')?.metadata.annotations?.['networking.istio.io/exportTo'],
        rule: (find(objects, 'DestinationRule', 'catalog')?.['spec'] as { exportTo: unknown }).exportTo,
        routes: (find(objects, 'VirtualService', 'catalog')?.['spec'] as { exportTo: unknown }).exportTo,
      };
    };
    expect(exported({})).toEqual({ service: '*', rule: ['*'], routes: ['.', 'team-a'] });
    const eastWestNamespace = 'east-west';
    expect(exported({ istio: { eastWestNamespace } })).toEqual({
      service: '.,east-west,team-a',
      rule: ['.', 'east-west', 'team-a'],
      routes: ['.', 'east-west', 'team-a'],
    });
  });

  test('an external service is known to its callers alone', () => {
    const objects = rendered(({ shop, orders }) => {
      const bank = new ExternalService(shop, 'bank', { host: 'bank.example', port: 443, protocol: 'TLS' });
      orders.callsExternal(bank);
    });
    expect(find(objects, 'ServiceEntry', 'bank')).toMatchObject({ spec: { exportTo: ['.', 'team-a'] } });
  });
});

describe('an edge', () => {
  test('has an ingress gateway of the mesh, with all that one has on an Istio of its own', () => {
    const objects = rendered(edge);
    const gateway = inNamespace(objects, 'demo-ingress');
    expect(gateway.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      'AuthorizationPolicy allow-nothing.demo',
      'AuthorizationPolicy edge.shop',
      'ConfigMap demo-ingress-bootstrap',
      'Deployment demo-ingress',
      'EnvoyFilter edge-proxy',
      'EnvoyFilter edge.shop',
      'EnvoyFilter edge.shop.connections',
      'EnvoyFilter rate-limits',
      'PodDisruptionBudget demo-ingress',
      'RequestAuthentication edge.shop',
      'Role demo-ingress',
      'RoleBinding demo-ingress',
      'Service demo-ingress',
      'ServiceAccount demo-ingress',
      'Telemetry telemetry.demo',
    ]);
    expectGolden(import.meta.url, 'existing-own-ingress', gateway);
    expect(find(objects, 'Gateway', 'edge')).toMatchObject({ spec: { selector: { istio: 'demo-ingress' } } });
    expect(find(objects, 'AuthorizationPolicy', 'edge')).toMatchObject({
      spec: {
        rules: [{ from: [{ source: { principals: ['cluster.local/ns/demo-ingress/sa/demo-ingress'] } }] }],
      },
    });
  });

  test('without one there is no gateway', () => {
    withProject({}, (root) => {
      const mesh = onExisting(root);
      shopOnExisting(mesh);
      expect(mesh.model().ingress).toBeUndefined();
      expect(objectOf(synthesize(mesh), 'east', 'Deployment', 'demo-ingress')).toBeUndefined();
    });
  });

  test('joins gateways of others by a Gateway and a VirtualService alone, and is guarded at its own proxy', () => {
    const objects = rendered(edge, joined);
    const named = inNamespace(objects, 'shop').filter(
      ({ apiVersion, metadata }) => apiVersion.includes('istio.io') && metadata.name.startsWith('edge'),
    );
    expectGolden(import.meta.url, 'existing-joined-edge', named);
    expect(find(objects, 'Gateway', 'edge')).toMatchObject({
      spec: {
        selector: theirGateways.selector,
        servers: [{ port: { number: 80 } }, { port: { number: 443 } }],
      },
    });
    const pods = { 'app.kubernetes.io/name': 'edge' };
    const policy = find(objects, 'AuthorizationPolicy', 'edge')?.['spec'] as {
      readonly selector: object;
      readonly rules: readonly { readonly from: readonly { readonly source: { principals: object } }[] }[];
    };
    expect(policy.selector).toEqual({ matchLabels: pods });
    expect(policy.rules.length).toBeGreaterThan(3);
    for (const rule of policy.rules) {
      expect(rule).toMatchObject({
        from: [{ source: { principals: ['cluster.local/ns/edge-system/sa/front-door'] } }],
        to: [
          {
            operation: { ports: ['8080'], hosts: ['api.example', 'api.example:*'], paths: expect.anything() },
          },
        ],
      });
    }
    expect(find(objects, 'RequestAuthentication', 'edge')).toMatchObject({
      spec: { selector: { matchLabels: pods }, jwtRules: [{ issuer: jwt.issuer }] },
    });
    expect(find(objects, 'EnvoyFilter', 'edge.limits')).toMatchObject({
      spec: {
        workloadSelector: { labels: pods },
        configPatches: [{ match: { context: 'SIDECAR_INBOUND', listener: { portNumber: 8080 } } }],
      },
    });
    // On a connection that clients share, gateways of others do not have what keeps them apart.
    expect(JSON.stringify(find(objects, 'DestinationRule', 'edge'))).not.toContain('h2UpgradePolicy');
    const filters = objects.filter(({ kind }) => kind === 'EnvoyFilter');
    expect(JSON.stringify(filters)).not.toContain('"GATEWAY"');
  });
});

test('the model says what is theirs, and what is needed of their mesh configuration', () => {
  withProject({}, (root) => {
    const istio = { revision: 'prod-stable', rootNamespace: 'istio-root', eastWestNamespace: 'east-west' };
    const mesh = onExisting(root, { istio, ingress: theirGateways });
    edge(shopOnExisting(mesh));
    const { existing, eastWest, ingress, controlPlane, clusters, istio: images } = mesh.model();
    expect(existing).toEqual({
      ...istio,
      cni: true,
      ingress: theirGateways,
      sharedNamespaces: ['team-a'],
      needs: ['trustDomain', 'discoverySelectors', 'pathNormalization', 'accessLog'],
    });
    expect(eastWest).toBeUndefined();
    expect(images).toBeUndefined();
    expect(ingress).toEqual({ namespace: 'edge-system', name: 'front-door', port: 80, given: {} });
    expect(controlPlane).toEqual({ namespace: 'istio-root' });
    expect(clusters.map(({ controlPlanes }) => controlPlanes)).toEqual([[], []]);
  });
});
