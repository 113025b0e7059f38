import { describe, expect, test } from '@jest/globals';
import { productVersion } from '../core/product.ts';
import { ExternalService } from './constructs/access/external-service.ts';
import { unseenRetries, virtualService } from './constructs/traffic/virtual-service.ts';
import { MutualTls } from './constructs/workload/mutual-tls.ts';
import { synthesize } from './synth.ts';
import { edge, find, inNamespace, joined, onExisting, rendered, shopOnExisting } from './testing/existing.ts';
import { expectGolden } from './testing/golden.ts';
import { withProject } from './testing/project.ts';

const version = { 'meshwright/version': productVersion() };
const ours = { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'demo' };

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
      const isIstio = object.apiVersion.includes('istio.io');
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
    const selector = { matchLabels: ours };
    for (const [namespace, all] of [
      ['shop', {}],
      ['team-a', { selector }],
    ] as const) {
      const specs = inNamespace(objects, namespace).filter(({ metadata }) => metadata.name.endsWith('.demo'));
      expect(specs).toMatchObject([
        { kind: 'AuthorizationPolicy', metadata: { annotations: version } },
        { kind: 'EnvoyFilter', metadata: { name: 'connection-age.demo' } },
        { kind: 'PeerAuthentication' },
        { kind: 'EnvoyFilter', metadata: { name: 'refused-calls.demo' } },
        { kind: 'Telemetry', spec: { selector, accessLogging: [{ providers: [{ name: 'envoy' }] }] } },
      ]);
      expect(specs[0]?.['spec']).toEqual(all);
      expect(specs[2]?.['spec']).toEqual({ ...all, mtls: { mode: 'STRICT' } });
    }
  });

  test('a pod without labels in a namespace that the mesh has alone is denied and takes no plaintext, either', () => {
    const objects = rendered((shop) => {
      new MutualTls(shop.catalog, 'tls', { mode: 'PERMISSIVE' });
      edge(shop);
    });
    for (const namespace of ['shop', 'demo-ingress']) {
      const all = inNamespace(objects, namespace);
      expect(find(all, 'AuthorizationPolicy', 'allow-nothing.demo')?.['spec']).toEqual({});
      expect(find(all, 'PeerAuthentication', 'mutual-tls.demo')?.['spec']).toEqual({
        mtls: { mode: 'STRICT' },
      });
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

  test('each proxy has by annotations of its pod, and every pod asks for it', () => {
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
    // Also where the label of the namespace asks for them: to an injector whose policy is `disabled` that is not enough.
    for (const name of ['catalog', 'demo-ingress'])
      expect(template(name).labels).toMatchObject({
        'istio.io/rev': 'prod-stable',
        'sidecar.istio.io/inject': 'true',
      });
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
      {
        metadata: { name: 'mutual-tls.demo', namespace: 'shop' },
        spec: { mtls: { mode: 'PERMISSIVE' } },
      },
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
      spec: { mtls: { mode: 'PERMISSIVE' } },
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
    const objects = rendered(({ shop, catalog }) => {
      const banks = shop.mesh.namespace('banks');
      const bank = new ExternalService(banks, 'bank', { host: 'bank.example', port: 443, protocol: 'TLS' });
      catalog.callsExternal(bank);
    });
    expect(find(objects, 'ServiceEntry', 'bank')).toMatchObject({ spec: { exportTo: ['.', 'shop'] } });
  });
});
