import { expect, test } from '@jest/globals';
import { objectOf, renderedOf } from '../testing/rendered.ts';
import { headless } from './headless.ts';

const service = (clusterIP?: string, name = 'one') => objectOf('v1', 'Service', { clusterIP }, { name });

test('a headless Service is in clusters of one network alone', () => {
  const refused = {
    where: 'own',
    what: 'Service shop/one is headless, and the addresses of its pods cannot be reached across the networks net-east, net-west',
    received: 'clusterIP: None',
    fix: 'remove clusterIP, or add the Service with `differs` only to the cluster whose pods call each other through it',
  };
  expect(headless(renderedOf([service('None')], [service('None')]))).toEqual([refused, refused]);
  expect(headless(renderedOf([service('None')], [service()]))).toEqual([refused]);
});

test.each([
  [[[service('None')], []]],
  [[[service('None')], [service('None', 'other')]]],
  [[[service()], [service()]]],
  [[[service('10.0.0.1')], [service('10.0.0.1')]]],
  [
    [
      [objectOf('v1', 'ConfigMap', { clusterIP: 'None' })],
      [objectOf('v1', 'ConfigMap', { clusterIP: 'None' })],
    ],
  ],
])('%j is none that is in two', (clusters) => {
  expect(headless(renderedOf(...clusters))).toEqual([]);
});

test('one that names the pods of a StatefulSet may be in each cluster that has those', () => {
  const set = objectOf('apps/v1', 'StatefulSet', { serviceName: 'one' }, { name: 'set' });
  const other = objectOf('apps/v1', 'StatefulSet', { serviceName: 'other' }, { name: 'set' });
  expect(headless(renderedOf([service('None'), set], [service('None'), set]))).toEqual([]);
  expect(headless(renderedOf([service('None'), set], [service('None')]))).toHaveLength(1);
  expect(headless(renderedOf([service('None'), other], [service('None'), other]))).toHaveLength(2);
});

test('clusters may share a network', () => {
  const { clusters } = renderedOf([service('None')], [service('None')]);
  expect(headless({ clusters: clusters.map((one) => ({ ...one, network: 'net' })) })).toEqual([]);
});
