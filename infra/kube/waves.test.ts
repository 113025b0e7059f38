import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from './kube-object.ts';
import { waves } from './waves.ts';

const kinds = [
  'Namespace',
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'ConfigMap',
  'ClusterRoleBinding',
  'Service',
  'DestinationRule',
  'ServiceEntry',
  'PeerAuthentication',
  'Deployment',
  'HorizontalPodAutoscaler',
  'ValidatingWebhookConfiguration',
];
const object = (kind: string, name: string): KubeObject => ({ apiVersion: 'v1', kind, metadata: { name } });

describe('waves', () => {
  test('hold every object exactly once, each kind after what it needs', () => {
    const objects = fc.uniqueArray(fc.tuple(fc.constantFrom(...kinds), fc.nat(20)), { selector: String });
    fc.assert(
      fc.property(objects, (drawn) => {
        const given = drawn.map(([kind, index]) => object(kind, String(index)));
        const made = waves(given);
        expect(new Set(made.flat())).toEqual(new Set(given));
        expect(made.flat()).toHaveLength(given.length);
        const order = made.flat().map(({ kind }) => kinds.indexOf(kind));
        const rank = [0, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7];
        const ranks = order.map((index) => rank[index] ?? -1);
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
      }),
    );
  });
});
