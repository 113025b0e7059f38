import { expect, test } from '@jest/globals';
import { expectGolden } from '../../testing/golden.ts';
import { objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { synthesize } from '../../synth.ts';

test('an application namespace is injected and held to restricted, in every cluster alike', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    mesh.namespace('shop');
    const rendered = synthesize(mesh);
    const objects = objectsOf(rendered, 'east', 'shop');
    expect(objects).toMatchObject([
      {
        kind: 'Namespace',
        metadata: {
          labels: { 'istio-injection': 'enabled', 'pod-security.kubernetes.io/enforce': 'restricted' },
        },
      },
    ]);
    expect(objectsOf(rendered, 'west', 'shop')).toEqual(objects);
    expectGolden(import.meta.url, 'namespace', objects);
  });
});

test('every wrong name is reported', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    for (const name of ['Shop', '', 'a/b', 'istio-system', 'kube-system', 'shop', 'shop', 'ControlPlane']) {
      mesh.namespace(name);
    }
    const rule = 'allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end';
    expect(problemsOf(mesh)).toEqual([
      `demo/Shop: the name of the namespace is not valid; received "Shop"; ${rule}`,
      `demo/: the name of the namespace is not valid; received ""; ${rule}`,
      `demo/a/b: the name of the namespace is not valid; received "a/b"; ${rule}`,
      'demo/istio-system: the namespace is reserved, not for applications; received "istio-system"; fix: choose another name',
      'demo/kube-system: the namespace is reserved, not for applications; received "kube-system"; fix: choose another name',
      'demo/shop: the namespace is declared twice; received "shop"; fix: declare it once and share it',
      `demo/ControlPlane: the name of the namespace is not valid; received "ControlPlane"; ${rule}`,
    ]);
  });
});
