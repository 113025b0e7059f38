import { expect, test } from '@jest/globals';
import type { MeshStatus } from '../infra/status/mesh-status.ts';
import { formatStatus } from './status.ts';

const since = '2030-01-01T00:00:00.000Z';
const seen: MeshStatus = {
  engine: 'apply',
  clusters: {},
  services: {},
  rollouts: [],
  unfinishedUp: null,
  crossCluster: { ok: true, checked: since },
};
const failures = (status: MeshStatus) =>
  formatStatus(status)
    .split('\n')
    .filter((line) => /^(FAILED| {2}\S)/.test(line));

test('status tells the roll-outs that have not arrived, and why the last up failed', () => {
  const because = 'container catalog of Pod shop/catalog-1 ended with exit code 1, restarted 4 times';
  const rollout = { cluster: 'east', object: 'Deployment shop/catalog', missing: '0 of 1 replicas updated' };
  const rollouts = [
    { ...rollout, because },
    { ...rollout, cluster: 'west', because: null },
  ];
  expect(
    failures({ ...seen, rollouts, unfinishedUp: { since, problems: ['east: one', 'west: two'] } }),
  ).toEqual([
    `FAILED: east: Deployment shop/catalog: 0 of 1 replicas updated: ${because}`,
    'FAILED: west: Deployment shop/catalog: 0 of 1 replicas updated',
    `FAILED: the last \`npm run up\`, of ${since}, failed:`,
    '  east: one',
    '  west: two',
  ]);
  expect(failures({ ...seen, unfinishedUp: { since, problems: null } })).toEqual([
    `FAILED: the \`npm run up\` of ${since} was cut off, or still runs`,
  ]);
  expect(failures(seen)).toEqual([]);
});
