import { expect, test } from '@jest/globals';
import { lab } from '../../platforms.ts';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { objectOf, objectsOf, twoClusters } from '../../testing/mesh.ts';
import { Mesh } from '../mesh.ts';
import { remoteReader } from '../scope/names.ts';
import type { Platform } from '../scope/platform.ts';

const readers = (platform: Platform, cluster = 'east') =>
  objectsOf(synthesize(twoClusters('.', platform)), cluster).filter(
    ({ metadata }) => metadata.name === remoteReader,
  );

test('every cluster has the account, without a token of its own, and what it may read', () => {
  expect(readers(lab).map(({ kind }) => kind)).toEqual([
    'ClusterRole',
    'ClusterRoleBinding',
    'Role',
    'RoleBinding',
    'ServiceAccount',
  ]);
  expect(readers(lab, 'west')).toEqual(readers(lab));
  expectGolden(import.meta.url, 'remote-reader', readers(lab));
});

test("Istio's own reader, which may do more, is not installed", () => {
  expect(objectOf(synthesize(twoClusters('.')), 'east', 'IstioOperator', 'istio')).toMatchObject({
    spec: { values: { global: { enableReaderRBAC: false } } },
  });
});

test('a cluster alone is read by nobody', () => {
  const alone = new Mesh('alone', {
    root: '.',
    trustDomain: 'demo.example',
    platform: lab,
    clusters: { only: { network: 'net', region: 'r1', zone: 'r1a' } },
  });
  expect(
    objectsOf(synthesize(alone), 'only').filter(({ metadata }) => metadata.name === remoteReader),
  ).toEqual([]);
});
