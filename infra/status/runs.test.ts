import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { RunModel } from '../../charts/model/mesh-model.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { runsIn } from './runs.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
});

const run = (kind: RunModel['kind'], object: string, placement: readonly string[] = ['east']): RunModel => ({
  ...{ name: object, namespace: 'shop', kind, object, placement, calls: [] },
});
const put = (kind: string, name: string, status: object, metadata: object = {}, spec: object = {}) => {
  api.put({
    apiVersion: 'batch/v1',
    kind,
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, ...metadata },
    spec,
    status,
  });
};
const time = (minute: number) => `2030-01-01T00:0${minute}:00Z`;
const complete = (minute: number) => ({
  conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: time(minute) }],
  completionTime: time(minute),
});
const failed = (minute: number) => ({
  conditions: [
    {
      ...{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'too often' },
      lastTransitionTime: time(minute),
    },
  ],
});
const because = 'BackoffLimitExceeded: too often';
const owned = (by: string) => ({ ownerReferences: [{ uid: `uid-${by}` }] });

test('of a Job it is told whether it is complete, failed, running or missing', async () => {
  put('Job', 'done', complete(1));
  put('Job', 'broken', failed(2));
  put('Job', 'going', { active: 1 });
  const runs = ['done', 'broken', 'going', 'gone'].map((name) => run('Job', name));
  const east = { cluster: 'east', because: null, succeeded: null, failed: null };
  expect(await runsIn(api.client, [...runs, run('Job', 'elsewhere', ['west'])])).toEqual([
    { ...east, object: 'Job shop/done', state: 'complete', succeeded: time(1) },
    { ...east, object: 'Job shop/broken', state: 'failed', because, failed: time(2) },
    { ...east, object: 'Job shop/going', state: 'running' },
    {
      ...east,
      object: 'Job shop/gone',
      state: 'missing',
      because: 'it is not there, and the next up runs it',
    },
  ]);
});

test('of a CronJob, how its last run ended that is kept', async () => {
  const statusOf = async (status: object = {}, spec: object = {}) => {
    put('CronJob', 'report', status, {}, spec);
    const [seen] = await runsIn(api.client, [run('CronJob', 'report')]);
    return seen;
  };
  const east = {
    cluster: 'east',
    object: 'CronJob shop/report',
    because: null,
    succeeded: null,
    failed: null,
  };
  expect(await statusOf()).toEqual({ ...east, state: 'waiting' });
  expect(await statusOf({ active: [{}] })).toEqual({ ...east, state: 'running' });
  expect(await statusOf({ lastSuccessfulTime: time(1) })).toEqual({
    ...east,
    state: 'complete',
    succeeded: time(1),
  });

  put('Job', 'first', complete(1), owned('report'));
  put('Job', 'second', failed(2), owned('report'));
  put('Job', 'other', complete(5), owned('another'));
  const both = { ...east, succeeded: time(1), failed: time(2) };
  expect(await statusOf({ lastSuccessfulTime: time(1) })).toEqual({ ...both, state: 'failed', because });
  expect(await statusOf({ lastSuccessfulTime: time(1) }, { suspend: true })).toEqual({
    ...both,
    state: 'suspended',
  });

  put('Job', 'third', complete(3), owned('report'));
  put('Job', 'fourth', { active: 1 }, owned('report'));
  expect(await statusOf({ lastSuccessfulTime: time(3) })).toEqual({
    ...both,
    state: 'complete',
    succeeded: time(3),
  });
});
