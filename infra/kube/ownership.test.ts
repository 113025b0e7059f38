import { expect, test } from '@jest/globals';
import type { KubeObject } from './kube-object.ts';
import { isOfOthers } from './ownership.ts';

const account = (name: string, ...managers: readonly string[]): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name,
      namespace: 'shop',
      managedFields: managers.map((manager) => ({ manager, operation: 'Apply' })),
    },
  }) as KubeObject;

test.each<[string, KubeObject, boolean]>([
  ["what Kubernetes makes with each namespace is nobody's", account('default'), false],
  ['also where its controller is recorded', account('default', 'kube-controller-manager'), false],
  ['what somebody wrote since is theirs', account('default', 'kube-controller-manager', 'kubectl'), true],
  ['what an apply of ours wrote is ours', account('default', 'kubectl', 'meshwright'), false],
  ['another one is of others', account('builder'), true],
])('%s', (_, object, expected) => {
  expect(isOfOthers(object, 'shop')).toBe(expected);
});
