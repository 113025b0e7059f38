import { describe, expect, test } from '@jest/globals';
import type { ImageSpec } from './spec.ts';
import { istioImages, nodeBase, pauseImage } from './specs.ts';

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

test('every account that an image runs as has a name', () => {
  const passwd = nodeBase('/n/node', '24').files?.find(({ to }) => to === '/etc/passwd')?.from;
  const users = passwd !== undefined && 'content' in passwd ? passwd.content : '';
  for (const image of [...images, pauseImage()]) expect(users).toContain(`:${image.user ?? ''}:`);
});
