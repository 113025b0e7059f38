import { expect, test } from '@jest/globals';
import { containersOf, ofEachPod, podsIn } from './containers.ts';

const metadata = { name: 'one' };
const template = { spec: { containers: [{ name: 'a' }] } };
const object = (kind: string, spec: object, apiVersion = 'example/v1') => ({
  ...{ apiVersion, kind, metadata },
  spec,
});

test.each(['Deployment', 'ReplicaSet', 'ReplicationController', 'Rollout', 'Job', 'Whatever'])(
  'the pods of a %s stand where those of every object do',
  (kind) => {
    expect(podsIn(object(kind, { template }))).toEqual([{ at: '', pod: template }]);
  },
);

test('a pod is one itself, a CronJob has its template deeper', () => {
  const pod = object('Pod', template.spec);
  expect(podsIn(pod)).toEqual([{ at: '', pod }]);
  const job = object('CronJob', { jobTemplate: { spec: { template } } });
  expect(podsIn(job)).toEqual([{ at: '', pod: template }]);
});

test('custom resources have pods wherever their controllers look for them, and some have several', () => {
  const other = { spec: { initContainers: [{ name: 'b', image: 'x' }] } };
  const set = object('JobSet', {
    replicatedJobs: [{ template: { spec: { template } } }, { template: { spec: { template: other } } }],
  });
  const at = (index: number) => `spec.replicatedJobs[${index}].template.spec.template`;
  expect(podsIn(set)).toEqual([
    { at: at(0), pod: template },
    { at: at(1), pod: other },
  ]);
  const found = ofEachPod(set, (pod) => containersOf(pod).map(([what]) => ({ what })));
  expect(found).toEqual([{ what: `${at(0)}: containers[a]` }, { what: `${at(1)}: initContainers[b]` }]);
});

test('containers at the root of a custom resource are a pod’s if each has an image: else its controller adds to its own', () => {
  const parts = object('Prometheus', { containers: [{ name: 'prometheus', args: ['--x'] }] });
  expect(podsIn(parts)).toEqual([]);
  const mixed = object('Prometheus', { containers: [{ name: 'a', image: 'x' }, { name: 'prometheus' }] });
  expect(podsIn(mixed)).toEqual([]);
  const whole = object('Runner', { containers: [{ name: 'a', image: 'x' }] });
  expect(podsIn(whole)).toEqual([{ at: '', pod: whole }]);
  const inside = { ...parts, spec: { ...parts.spec, template } };
  expect(podsIn(inside)).toEqual([{ at: '', pod: template }]);
});

test('what has no containers makes no pods, unless it is of a kind that does', () => {
  expect(podsIn(object('ExternalSecret', { template: { metadata: {} } }))).toEqual([]);
  expect(podsIn(object('Deployment', { template: { metadata } }))).toEqual([{ at: '', pod: { metadata } }]);
  expect(podsIn(object('Deployment', {}))).toEqual([]);
  expect(podsIn({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'spec.containers' } })).toEqual(
    [],
  );
});
