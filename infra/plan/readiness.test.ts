import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/kube-object.ts';
import { describeReadiness, loadBalancerAddresses, lookAt, readinessOf } from './readiness.ts';

const named = (kind: string, fields: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'x', namespace: 'n' },
  ...fields,
});
const reached = { done: true, value: true };
const notYet = (because: string) => ({ done: false, because });

describe('readinessOf', () => {
  test('names what each kind has to reach, and nothing for the kinds that are ready when stored', () => {
    const objects = [
      named('Namespace'),
      named('CustomResourceDefinition'),
      named('Deployment'),
      named('DaemonSet'),
      named('StatefulSet'),
      named('Service', { spec: { type: 'LoadBalancer' } }),
      named('Service', { spec: { type: 'ClusterIP' } }),
      named('MutatingWebhookConfiguration'),
      named('ConfigMap'),
    ];
    expect(readinessOf(objects).map(describeReadiness)).toEqual([
      'Namespace n/x active',
      'CustomResourceDefinition n/x established',
      'Deployment n/x available',
      'DaemonSet n/x ready on every node',
      'StatefulSet n/x with all pods ready',
      'Service n/x given an address',
      'MutatingWebhookConfiguration n/x answering',
    ]);
  });
});

describe('lookAt', () => {
  const deployment = (replicas: number | undefined, status: object, generation = 2) =>
    named('Deployment', { metadata: { name: 'x', generation }, spec: { replicas }, status });
  const daemonSet = (status: object) =>
    named('DaemonSet', { metadata: { name: 'x', generation: 1 }, status });
  const set = (status: object, updateStrategy: object = { type: 'RollingUpdate' }, replicas?: number) =>
    named('StatefulSet', {
      metadata: { name: 'x', generation: 2 },
      spec: { replicas: replicas ?? 3, updateStrategy },
      status: { ...rolled, ...status },
    });
  const rolled = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };

  test.each([
    ['a missing object', 'available', undefined, notYet('it does not exist')],
    ['a rollout that is over', 'available', deployment(3, rolled), reached],
    [
      'one replica by default',
      'available',
      deployment(undefined, { ...rolled, replicas: 1, updatedReplicas: 1, availableReplicas: 1 }),
      reached,
    ],
    ['nothing wanted', 'available', deployment(0, { observedGeneration: 2 }), reached],
    [
      'a change not seen',
      'available',
      deployment(3, { ...rolled, observedGeneration: 1 }),
      notYet('its controller has not seen the change yet'),
    ],
    [
      'a rollout that began',
      'available',
      deployment(3, { ...rolled, updatedReplicas: 1 }),
      notYet('1 of 3 replicas updated'),
    ],
    [
      'a rollout that is stuck',
      'available',
      deployment(3, {
        ...rolled,
        updatedReplicas: 1,
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
      }),
      notYet('1 of 3 replicas updated, and it no longer makes progress (ProgressDeadlineExceeded)'),
    ],
    [
      'old replicas',
      'available',
      deployment(3, { ...rolled, replicas: 4 }),
      notYet('replicas of the previous version still run'),
    ],
    [
      'replicas that start',
      'available',
      deployment(3, { ...rolled, availableReplicas: 2 }),
      notYet('2 of 3 replicas available'),
    ],
    [
      'a daemon set without nodes',
      'scheduled',
      daemonSet({ observedGeneration: 1 }),
      notYet('no node runs it yet'),
    ],
    [
      'a daemon set being updated',
      'scheduled',
      daemonSet({ observedGeneration: 1, desiredNumberScheduled: 2, updatedNumberScheduled: 1 }),
      notYet('updated on 1 of 2 nodes'),
    ],
    [
      'a daemon set that starts',
      'scheduled',
      daemonSet({
        observedGeneration: 1,
        desiredNumberScheduled: 2,
        updatedNumberScheduled: 2,
        numberReady: 1,
      }),
      notYet('ready on 1 of 2 nodes'),
    ],
    [
      'a daemon set',
      'scheduled',
      daemonSet({
        observedGeneration: 1,
        desiredNumberScheduled: 2,
        updatedNumberScheduled: 2,
        numberReady: 2,
      }),
      reached,
    ],
    ['a stateful set', 'complete', set({}), reached],
    ['a stateful set of no pods', 'complete', set({ replicas: 0, updatedReplicas: 0 }, {}, 0), reached],
    [
      'a stateful set whose change is not seen',
      'complete',
      set({ observedGeneration: 1 }),
      notYet('its controller has not seen the change yet'),
    ],
    [
      'a stateful set that changes its pods one by one',
      'complete',
      set({ updatedReplicas: 1 }),
      notYet('1 of 3 replicas updated'),
    ],
    [
      'a stateful set that starts its pods one by one',
      'complete',
      set({ replicas: 2, updatedReplicas: 2, availableReplicas: 1 }),
      notYet('2 of 3 replicas updated'),
    ],
    [
      'a stateful set whose last pod starts',
      'complete',
      set({ availableReplicas: 2 }),
      notYet('2 of 3 replicas available'),
    ],
    [
      'a stateful set that gets smaller',
      'complete',
      set({ replicas: 4 }),
      notYet('pods that are no longer wanted still run'),
    ],
    [
      'pods below the partition of a stateful set, which stay as they were',
      'complete',
      set({ updatedReplicas: 1 }, { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }),
      reached,
    ],
    [
      'pods above it',
      'complete',
      set({ updatedReplicas: 1 }, { type: 'RollingUpdate', rollingUpdate: { partition: 1 } }),
      notYet('1 of 2 replicas updated'),
    ],
    [
      'a stateful set that changes a pod when somebody deletes it',
      'complete',
      set({ updatedReplicas: 0 }, { type: 'OnDelete' }),
      reached,
    ],
    ['an active namespace', 'active', named('Namespace', { status: { phase: 'Active' } }), reached],
    [
      'a namespace being deleted',
      'active',
      named('Namespace', { status: { phase: 'Terminating' } }),
      notYet('its phase is Terminating'),
    ],
    [
      'an established definition',
      'established',
      named('CustomResourceDefinition', {
        status: { conditions: [{ type: 'Established', status: 'True' }] },
      }),
      reached,
    ],
    [
      'a new definition',
      'established',
      named('CustomResourceDefinition', {
        status: { conditions: [{ type: 'Established', status: 'False' }] },
      }),
      notYet('the API server does not serve it yet'),
    ],
    [
      'a service without an address',
      'address',
      named('Service'),
      notYet('its status names no load balancer address'),
    ],
    [
      'a service with one',
      'address',
      named('Service', { status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } } }),
      reached,
    ],
  ] as const)('%s', (_, kind, live, expected) => {
    expect(lookAt(kind, live)).toEqual(expected);
  });

  test('a load balancer may have a host name instead of an address', () => {
    const ingress = [{ hostname: 'lb.example' }, { ip: '192.0.2.1', hostname: 'one.example' }, {}];
    expect(loadBalancerAddresses(named('Service', { status: { loadBalancer: { ingress } } }))).toEqual([
      'lb.example',
      '192.0.2.1',
    ]);
  });
});
