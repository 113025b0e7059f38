import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { awaitReady } from './await-ready.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { readinessOf } from '../plan/readiness.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { problemOf } from '../testing/problems.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
});

const limits = {
  active: 400,
  established: 400,
  available: 400,
  complete: 300,
  scheduled: 400,
  address: 400,
  answering: 400,
  ended: 400,
};
const deployment = (status: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'catalog', namespace: 'shop', uid: 'd', generation: 1 },
  spec: { replicas: 1, selector: { matchLabels: { app: 'catalog' } } },
  status: { observedGeneration: 1, ...status },
});
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'gateway', namespace: 'in' },
  spec: { type: 'LoadBalancer' },
};
const event = (uid: string, reason: string, message: string, lastTimestamp: string) => ({
  apiVersion: 'v1',
  kind: 'Event',
  type: 'Warning',
  metadata: { name: `${uid}-${reason}`, namespace: 'shop' },
  involvedObject: { uid },
  reason,
  message,
  lastTimestamp,
});
const wait = (objects: readonly KubeObject[], report: (line: string) => void = () => undefined) =>
  awaitReady(api.client, readinessOf(objects), { namespaces: [], report, limits });

describe('awaitReady', () => {
  test('ends when everything is ready, and reports what was not at first', async () => {
    const lines: string[] = [];
    api.put(deployment({ replicas: 1, updatedReplicas: 1, availableReplicas: 1 }));
    api.put(service);
    await awaitReady(api.client, readinessOf([deployment({}), service]), {
      namespaces: [],
      report: (line) => {
        lines.push(line);
        api.put({ ...service, status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } } });
      },
    });
    expect(lines).toEqual([
      'east: Service in/gateway given an address: waiting, its status names no load balancer address',
    ]);
  });

  test('says what is known of a workload whose pods tell nothing: the last warnings', async () => {
    api.put(deployment({ updatedReplicas: 1 }));
    api.put(event('d', 'Odd', 'something\nodd', '2030-01-01T00:00:02Z'));
    api.put(event('d', 'Before', 'something before', '2030-01-01T00:00:01Z'));
    api.put(event('other', 'Failed', 'of another object', '2030-01-01T00:00:03Z'));
    expect(await problemOf(wait([deployment({})]))).toEqual({
      exitCode: 1,
      message:
        'east: Deployment shop/catalog available: not reached within 0 s: 0 of 1 replicas available; fix: look at ' +
        'Deployment shop/catalog in east; event Before: something before; event Odd: something odd, then run the command again',
    });
  });

  test('tells all that passed their limits, and ends the other waits at once', async () => {
    const other = { ...service, metadata: { name: 'other', namespace: 'in' } };
    api.put(service);
    api.put(other);
    api.put(deployment({}));
    const conditions = readinessOf([service, other, deployment({})]);
    const work = awaitReady(api.client, conditions, {
      namespaces: [],
      report: () => undefined,
      limits: { ...limits, available: 600_000 },
    });
    const advice =
      '; fix: look at whether anything in east makes load balancers; node ports can be declared where nothing does, then run the command again';
    const line = (name: string) =>
      `east: Service in/${name} given an address: not reached within 0 s: its status names no load balancer address${advice}`;
    const { message } = await problemOf(work);
    expect([line('gateway'), line('other'), `${line('gateway')}\n${line('other')}`]).toContain(message);
    await setTimeout(1_000); // what was on its way
    const seen = api.requests.length;
    await setTimeout(1_200);
    expect(api.requests).toHaveLength(seen);
  });

  test('ends with its signal', async () => {
    api.put(service);
    const work = awaitReady(api.client, readinessOf([service]), {
      namespaces: [],
      report: () => undefined,
      signal: AbortSignal.abort(new Error('stopped by SIGINT')),
    });
    await expect(work).rejects.toThrow('stopped by SIGINT');
  });

  test('a load balancer that never gives an address', async () => {
    api.put({ ...service, metadata: { ...service.metadata, uid: 's' } });
    const failed = event('s', 'SyncLoadBalancerFailed', 'no subnet is tagged', '2030-01-01T00:00:02Z');
    api.put({ ...failed, metadata: { ...failed.metadata, namespace: 'in' } });
    expect(await problemOf(wait([service]))).toEqual({
      exitCode: 1,
      message:
        'east: Service in/gateway given an address: not reached within 0 s: its status names no load balancer address; fix: look at ' +
        'event SyncLoadBalancerFailed: no subnet is tagged; whether anything in east makes load balancers; node ports can be declared where nothing does, then run the command again',
    });
  });
});
