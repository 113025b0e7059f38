import { expect, test } from '@jest/globals';
import { k8s } from 'cdk8s-plus-28';
import { Projection } from './projection.ts';

const east = { name: 'east', network: 'net-east', region: 'r', zone: 'z' };

test('objects carry the recommended labels, the exact name, and stand in an order of their own', () => {
  const into = new Projection('demo', east);
  for (const [namespace, name] of [
    ['b', 'x'],
    ['a', 'z'],
    ['a', 'y'],
  ] as const) {
    into.add('40-services', k8s.KubeServiceAccount, { name, namespace }, {});
    into.add('40-services', k8s.KubeConfigMap, { name, namespace, app: 'app', labels: { extra: '1' } }, {});
  }
  const objects = into.objects('40-services').map(({ object }) => object);
  expect(objects.map(({ kind, metadata }) => `${metadata.namespace!}/${metadata.name} ${kind}`)).toEqual([
    'a/y ConfigMap',
    'a/y ServiceAccount',
    'a/z ConfigMap',
    'a/z ServiceAccount',
    'b/x ConfigMap',
    'b/x ServiceAccount',
  ]);
  const labels = { 'app.kubernetes.io/managed-by': 'meshwright', 'app.kubernetes.io/part-of': 'demo' };
  expect(objects[0]?.metadata.labels).toEqual({ ...labels, 'app.kubernetes.io/name': 'app', extra: '1' });
  expect(objects[1]?.metadata.labels).toEqual({ ...labels, 'app.kubernetes.io/name': 'y' });
  expect(into.objects('50-workloads')).toEqual([]);
});
