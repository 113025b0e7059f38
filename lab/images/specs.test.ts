import { describe, expect, test } from '@jest/globals';
import { appImage, istioImages, nodeBase, pauseImage } from './specs.ts';
import type { ImageSpec } from './spec.ts';

const tools = {
  'pilot-discovery': '/t/pilot-discovery',
  'pilot-agent': '/t/pilot-agent',
  'install-cni': '/t/install-cni',
  'istio-cni': '/t/istio-cni',
  envoy: '/t/envoy',
  'envoy_bootstrap.json': '/t/envoy_bootstrap.json',
};
const images = istioImages(tools, '1.31-dev.0123456789ab');
const named = (name: string) => images.find((image) => image.name === name)!;
const placed = (image: ImageSpec) =>
  Object.fromEntries(
    (image.files ?? []).flatMap(({ to, from }) => ('path' in from ? [[to, from.path] as const] : [])),
  );

describe('Istio', () => {
  test('has the images that its installation names', () => {
    expect(images.map(({ name, tag }) => `${name}:${tag}`)).toEqual([
      'pilot:1.31-dev.0123456789ab',
      'proxyv2:1.31-dev.0123456789ab',
      'install-cni:1.31-dev.0123456789ab',
    ]);
  });

  test('finds its programs where its own images have them', () => {
    expect(placed(named('pilot'))).toEqual({ '/usr/local/bin/pilot-discovery': '/t/pilot-discovery' });
    expect(placed(named('proxyv2'))).toEqual({
      '/usr/local/bin/envoy': '/t/envoy',
      '/usr/local/bin/pilot-agent': '/t/pilot-agent',
      '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json': '/t/envoy_bootstrap.json',
    });
    expect(placed(named('install-cni'))).toEqual({
      '/usr/local/bin/install-cni': '/t/install-cni',
      '/opt/cni/bin/istio-cni': '/t/istio-cni',
    });
  });

  test('runs as its own user, the CNI installer as root', () => {
    expect(images.map(({ user }) => user)).toEqual(['1337:1337', '1337:1337', '0:0']);
  });

  test('has the packet filter where traffic is redirected, on one base', () => {
    const { base } = named('proxyv2');
    expect(named('install-cni').base).toBe(base);
    expect(base?.packages).toContain('iptables');
    expect(base?.links?.['/usr/sbin/ip6tables-restore']).toBe('xtables-nft-multi');
  });
});

const config = {
  name: 'catalog',
  directory: 'apps/catalog',
  services: ['shop.catalog.v1.CatalogService'],
  ports: { grpc: 50051, http: 8080 },
  image: { version: '1.2.0', title: 'Catalog', description: 'Products' },
  resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '64Mi' } },
  replicas: 1,
  shutdown: { drainSeconds: 20, graceSeconds: 30 },
  env: {},
  httpGateway: true,
};

test('an app runs its bundle on Node as an ES module, not as root', () => {
  const base = nodeBase('/n/node', '24.21.0');
  expect(appImage(config, '1.2.0-abc', 'run()', base)).toEqual({
    name: 'catalog',
    tag: '1.2.0-abc',
    base,
    files: [
      { to: '/app/main.js', from: { content: 'run()' } },
      { to: '/app/package.json', from: { content: '{"type":"module"}\n' } },
    ],
    user: '65532:65532',
    workingDirectory: '/app',
    entrypoint: ['/usr/bin/node', '/app/main.js'],
    ports: [50051],
    labels: {
      'org.opencontainers.image.title': 'Catalog',
      'org.opencontainers.image.description': 'Products',
      'org.opencontainers.image.version': '1.2.0',
    },
  });
});

test('an app listens on its own HTTP port unless a gateway container has it', () => {
  const ports = (httpGateway: boolean) =>
    appImage({ ...config, httpGateway }, '1', '', nodeBase('/n/node', '24')).ports;
  expect(ports(true)).toEqual([50051]);
  expect(ports(false)).toEqual([50051, 8080]);
});

test('every account that an image runs as has a name', () => {
  const passwd = nodeBase('/n/node', '24').files?.find(({ to }) => to === '/etc/passwd')?.from;
  const users = passwd !== undefined && 'content' in passwd ? passwd.content : '';
  for (const image of [...images, pauseImage()]) expect(users).toContain(`:${image.user ?? ''}:`);
});
