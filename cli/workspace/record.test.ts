import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProblemsError } from '../../core/problem.ts';
import { planMesh } from '../../infra/plan/plan.ts';
import { modelOf, modelOnExisting } from '../../infra/testing/models.ts';
import { namespaceOf } from '../../infra/testing/existing/on-existing.ts';
import {
  otherMesh,
  readRecord,
  recordFailure,
  recordRemoved,
  recordStart,
  removableMesh,
  withIdentity,
  withMesh,
  writeRecord,
} from './record.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'record-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const record = {
  engine: 'apply',
  lab: true,
  access: { east: { kubeconfig: '/k', context: 'east' } },
} as const;
/** What a record says of a mesh of the tests. */
const named = { name: 'shop', controlPlane: 'istio-system' };

describe('the record of what is up', () => {
  test('keeps what tells the mesh from another one of its name', () => {
    const identity = { id: 'mine', trustDomain: 'shop.example' };
    writeRecord(folder, withIdentity({ ...record, identity }, undefined));
    expect(withIdentity(record, readRecord(folder))).toEqual({ ...record, identity });
    expect(withIdentity(record, record)).toEqual(record);
  });

  test('knows of an up that has begun, until it ends well', () => {
    recordStart(folder, record);
    expect(readRecord(folder)).toEqual({
      ...record,
      unfinishedUp: { since: expect.stringMatching(/^\d{4}-.*Z$/), problems: null },
    });
    writeRecord(folder, record);
    expect(readRecord(folder)).toEqual(record);
  });

  test('keeps what an up failed with, one short line for each problem', () => {
    recordStart(folder, record);
    const long = { where: 'west', what: 'x\n'.repeat(1_000) };
    const problem = {
      where: 'east: Deployment shop/a',
      what: 'does not get ready',
      fix: 'mend it',
      lines: ['log'],
    };
    recordFailure(folder, new ProblemsError([problem, long], 1));
    const problems = readRecord(folder)?.unfinishedUp?.problems ?? [];
    expect(problems[0]).toBe('east: Deployment shop/a: does not get ready');
    expect(problems[1]).toHaveLength(500);
    recordFailure(folder, new Error('stopped by SIGINT'));
    expect(readRecord(folder)?.unfinishedUp?.problems).toEqual(['stopped by SIGINT']);
  });

  test('says nothing of an up that failed before it changed anything', () => {
    recordFailure(folder, new Error('no image'));
    expect(readRecord(folder)).toBeUndefined();
    writeRecord(folder, record);
    recordFailure(folder, new Error('no image'));
    expect(readRecord(folder)).toEqual(record);
  });

  test('keeps each namespace that an up wrote in on an Istio of others, and none where the Istio is its own', () => {
    const model = modelOnExisting(['east'], { sharedNamespaces: ['team-a'] });
    const planOf = (...names: readonly string[]) => {
      const objects = names.map((name) => namespaceOf(name));
      return planMesh(model, [{ cluster: 'east', stage: '00-namespaces', path: '', yaml: '', objects }]);
    };
    writeRecord(folder, withMesh(record, undefined, planOf('shop')));
    const mesh = { ...named, sharedNamespaces: ['team-a'] };
    expect(readRecord(folder)).toEqual({ ...record, mesh, namespaces: ['shop', 'team-a'] });
    expect(withMesh(record, readRecord(folder), planOf('store', 'shop-ingress')).namespaces).toEqual([
      ...['shop', 'team-a', 'store', 'shop-ingress'],
    ]);
    expect(withMesh(record, undefined, planMesh(modelOf(['east']), []))).toEqual({ ...record, mesh: named });
  });

  test('a namespace that was shared stays one of others, until it is declared as one of the mesh', () => {
    const planOf = (sharedNamespaces: readonly string[], ...own: readonly string[]) =>
      planMesh(modelOnExisting(['east'], { sharedNamespaces }), [
        {
          ...{ cluster: 'east', stage: '00-namespaces', path: '', yaml: '' },
          objects: own.map((name) => namespaceOf(name)),
        },
      ]);
    const first = withMesh(record, undefined, planOf(['team-a', 'team-b']));
    const second = withMesh(record, first, planOf(['team-c'], 'team-b'));
    expect(second.mesh?.sharedNamespaces).toEqual(['team-a', 'team-c']);
    expect(second.namespaces).toEqual(['team-a', 'team-b', 'team-c']);
  });

  test('knows of each cluster that is no longer declared until it is removed from it', () => {
    const left = { west: { kubeconfig: '/k', context: 'west' }, north: { kubeconfig: '/k', context: 'n' } };
    recordStart(folder, { ...record, left });
    recordRemoved(folder, 'west');
    expect(readRecord(folder)).toMatchObject({ unfinishedUp: { problems: null } });
    expect(readRecord(folder)?.left).toEqual({ north: left.north });
    recordRemoved(folder, 'north');
    expect(readRecord(folder)).not.toHaveProperty('left');
  });
});

describe('what down knows the mesh by', () => {
  const declared = () => Promise.resolve({ ...modelOf(['north']), name: 'declared' });

  test('is what up recorded, whatever is declared now', async () => {
    const clusters = [{ name: 'east' }];
    const controlPlane = { namespace: 'istio-system' };
    expect(await removableMesh({ ...record, mesh: named }, declared)).toEqual({
      ...{ name: 'shop', clusters, controlPlane, namespaces: [] },
    });
    const mesh = { ...named, sharedNamespaces: ['team-a'] };
    expect(await removableMesh({ ...record, mesh, namespaces: ['shop', 'team-a'] }, declared)).toEqual({
      ...{ name: 'shop', clusters, controlPlane, namespaces: ['shop', 'team-a'] },
      existing: { sharedNamespaces: ['team-a'] },
    });
    const outside = ['ClusterRole shop-reader'];
    expect(await removableMesh({ ...record, mesh, outside }, declared)).toMatchObject({ outside });
    expect(await removableMesh({ ...record, outside }, declared)).toMatchObject({ outside });
  });

  test('is what is declared, in the clusters of the record, where a version before recorded no name', async () => {
    expect(await removableMesh({ ...record, namespaces: ['old'] }, declared)).toMatchObject({
      ...{ name: 'declared', clusters: [{ name: 'east' }] },
      namespaces: ['shop', 'istio-ingress', 'old'],
    });
  });
});

test.each([
  [
    'another name',
    modelOf(['east']),
    { name: 'store', controlPlane: 'istio-system' },
    'another mesh than the one of this checkout that is up; received "shop"; allowed store',
  ],
  [
    'an Istio of others in place of its own',
    modelOnExisting(['east']),
    named,
    'another Istio than the one that the mesh is up on; received "an Istio of others"; allowed an Istio of its own',
  ],
  [
    'its own Istio in place of one of others',
    modelOf(['east']),
    { ...named, sharedNamespaces: [] },
    'another Istio than the one that the mesh is up on; received "an Istio of its own"; allowed an Istio of others',
  ],
])('a mesh that is declared with %s is refused while the other is up', (_, model, mesh, told) => {
  const message = `mesh.ts: declares ${told}; fix: run \`npm run down\` first, which goes by what is up, or use another checkout`;
  expect(() => withMesh(record, { ...record, mesh }, planMesh(model, []))).toThrow(new Error(message));
  expect(otherMesh(record, planMesh(model, []))).toEqual([]);
});
