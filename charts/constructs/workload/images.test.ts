import { describe, expect, test } from '@jest/globals';
import { Mesh, released, type Platform } from '../../index.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { synthesize } from '../../synth.ts';
import { catalogIn, clusters, objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { keptProject } from '../../testing/project.ts';
import { HttpEdge } from '../edge/http-edge.ts';
import { remoteReader } from '../scope/names.ts';

const root = keptProject();

function meshOn(platform: Platform) {
  const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform });
  const shop = mesh.namespace('shop');
  new HttpEdge(shop, 'edge', { expose: [catalogIn(shop)] });
  return mesh;
}

/** Every `image`, `hub` and the like in an object, however deep. */
function references(value: unknown, key = ''): readonly string[] {
  if (typeof value === 'string') return /^(image|hub)$/i.test(key) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => references(inner, name));
}

describe('clusters that reach no registry but their own', () => {
  const platform = released({
    imageHub: 'mirror.internal:5000/shop',
    istioTag: '1.29.2',
    istioHub: 'mirror.internal:5000/istio',
    imagePullSecrets: ['mirror-key'],
  });
  const rendered = synthesize(meshOn(platform));

  test('are told of no image from elsewhere', () => {
    for (const { name } of meshOn(platform).clusters) {
      const found = objectsOf(rendered, name).flatMap((object) => references(object));
      expect(found.length).toBeGreaterThan(4);
      const elsewhere = found.filter(
        (image) => image !== 'auto' && !image.startsWith('mirror.internal:5000/'),
      );
      expect(elsewhere).toEqual([]);
    }
  });

  test('pull with the declared credentials: istiod, CNI, gateways and apps', () => {
    expect(objectOf(rendered, 'east', 'IstioOperator', 'istio')).toMatchObject({
      spec: { hub: 'mirror.internal:5000/istio', values: { global: { imagePullSecrets: ['mirror-key'] } } },
    });
    const accounts = objectsOf(rendered, 'west')
      .filter(({ kind }) => kind === 'ServiceAccount')
      // No pod runs as it.
      .filter(({ metadata }) => metadata.name !== remoteReader);
    expect(accounts.map(({ metadata }) => metadata.name)).toEqual([
      'istio-eastwestgateway',
      'istio-ingressgateway',
      'catalog',
      'edge',
    ]);
    for (const account of accounts) expect(secretsOf(account)).toEqual([{ name: 'mirror-key' }]);
  });
});

test('a hub is a registry as image references begin', () => {
  const wrong = released({
    imageHub: 'https://registry.example/shop',
    istioTag: '1.29.2',
    istioHub: 'registry.example/istio/',
    imagePullSecrets: ['Key'],
  });
  const allowed =
    'allowed the registry and path that image references begin with, such as registry.example/shop';
  expect(problemsOf(meshOn(wrong))).toEqual([
    `demo: platform.imageHub: is not an image registry; received "https://registry.example/shop"; ${allowed}`,
    `demo: platform.istio.hub: is not an image registry; received "registry.example/istio/"; ${allowed}`,
    `demo: platform.imagePullSecrets: is not a list of names; received ["Key"]; allowed a list of names of Secrets, such as ['registry-key']`,
  ]);
});

function secretsOf(account: KubernetesObject): unknown {
  return account['imagePullSecrets'];
}
