import { expect, test } from '@jest/globals';
import { objectOf, renderedOf } from '../testing/rendered.ts';
import { waits } from './waits.ts';

const template = (seconds: number, terminationGracePeriodSeconds?: number) => ({
  spec: {
    terminationGracePeriodSeconds,
    containers: [{ name: 'plain' }, { name: 'cart', lifecycle: { preStop: { sleep: { seconds } } } }],
  },
});
const deployment = (seconds: number, grace?: number) =>
  objectOf('apps/v1', 'Deployment', { template: template(seconds, grace) }, { name: 'cart' });
const refused = (kind: string, received: number, grace: number, most: number) => ({
  where: 'own',
  what: `${kind} shop/cart: containers[cart] is told to end after so many seconds that its calls cannot end before the pod is killed, ${grace} s after it began to end`,
  received,
  allowed: `1 to ${most}: the proxy takes 5 s more, and calls at least one`,
  fix: 'shorten preStop.sleep, or raise terminationGracePeriodSeconds',
});

test('a wait before the end leaves time for the calls in flight, whatever makes the pods', () => {
  expect(waits(renderedOf([deployment(25, 30)]))).toEqual([refused('Deployment', 25, 30, 24)]);
  expect(waits(renderedOf([deployment(0, 60)]))).toEqual([refused('Deployment', 0, 60, 54)]);
  // Of pods that do not say how long they have, Kubernetes says it.
  expect(waits(renderedOf([deployment(25)]))).toEqual([refused('Deployment', 25, 30, 24)]);
  const cron = objectOf(
    'batch/v1',
    'CronJob',
    { jobTemplate: { spec: { template: template(9, 10) } } },
    { name: 'cart' },
  );
  expect(waits(renderedOf([cron]))).toEqual([refused('CronJob', 9, 10, 4)]);
  const pod = objectOf('v1', 'Pod', template(30, 30).spec, { name: 'cart' });
  expect(waits(renderedOf([pod]))).toEqual([refused('Pod', 30, 30, 24)]);
});

test('what leaves it, and what does not wait, is let through', () => {
  expect(waits(renderedOf([deployment(24, 30), deployment(1, 7), deployment(10)]))).toEqual([]);
  expect(waits(renderedOf([objectOf('v1', 'Pod', { containers: [{ name: 'a' }] }, { name: 'a' })]))).toEqual(
    [],
  );
});
