import { expect, test } from '@jest/globals';
import { Job, lab, Mesh } from '../../charts/index.ts';
import { stages } from '../../charts/model/stage.ts';
import { synthesize } from '../../charts/synth.ts';
import { catalogIn } from '../../charts/testing/mesh.ts';
import { root } from '../testing/meshes.ts';
import { planMesh } from './plan.ts';

/** A mesh of clusters c1 to cN, with the catalog in each. */
function plan(count: number, job?: string) {
  const names = Array.from({ length: count }, (_, index) => `c${index + 1}`);
  const clusters = Object.fromEntries(
    names.map((name) => [name, { network: `net-${name}`, region: `region-${name}`, zone: `zone-${name}` }]),
  );
  const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
  const shop = mesh.namespace('shop');
  catalogIn(shop);
  if (job !== undefined) new Job(shop, 'migrate', { image: 'migrate:1.0.0', placement: [job] });
  return { names, plan: planMesh(mesh.model(), synthesize(mesh)) };
}

const withoutJobs = stages.filter((stage) => stage !== '70-jobs');

// No code knows a greatest number of clusters.
test.each([1, 20])('%d clusters: each gets every stage, and a secret for each other one', (count) => {
  const { names, plan: made } = plan(count);
  expect(made.steps.map(({ cluster, stage }) => `${cluster} ${stage}`)).toEqual(
    withoutJobs.flatMap((stage) => names.map((name) => `${name} ${stage}`)),
  );
  for (const name of names) {
    const remote = made.steps
      .filter(({ cluster }) => cluster === name)
      .flatMap(({ secrets }) => secrets)
      .flatMap((secret) => (secret.kind === 'remote-secret' ? [secret.of] : []));
    expect(remote.toSorted()).toEqual(names.filter((other) => other !== name).toSorted());
  }
});

test('a Job comes after the mesh is there in every cluster, and is awaited', () => {
  const { names, plan: made } = plan(3, 'c2');
  const jobs = made.steps.filter(({ stage }) => stage === '70-jobs');
  expect(jobs.map(({ cluster, ready }) => [cluster, ready.map(({ kind }) => kind)])).toEqual([
    ['c1', []],
    ['c2', ['ended']],
    ['c3', []],
  ]);
  const all = names.map((cluster) => ({ cluster, stage: '60-traffic' }));
  for (const { after } of jobs) {
    expect(after).toHaveLength(3);
    expect(after).toEqual(expect.arrayContaining(all));
  }
});
