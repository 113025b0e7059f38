import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labelManaged } from '../infra/kube/kube-object.ts';
import type { KubeObject } from '../infra/kube/kube-object.ts';
import { KubeApi } from '../infra/testing/kube-api.ts';
import { problemOf } from '../infra/testing/problems.ts';
import { checkLeft, removeLeft, tellLeft } from './remove-left.ts';
import { readRecord, recordStart, type UpRecord } from './workspace/record.ts';
import { thisWorkspace, type Workspace } from './workspace/workspace.ts';

const names = ['east', 'west', 'north'] as const;
type Name = (typeof names)[number];
let apis: Readonly<Record<Name, KubeApi>>;
let at: Workspace;
beforeAll(async () => {
  const [east, west, north] = await Promise.all(names.map((name) => KubeApi.start(name)));
  apis = { east: east!, west: west!, north: north! };
});
afterAll(async () => {
  await Promise.all(Object.values(apis).map((api) => api.stop()));
});

const object = (apiVersion: string, kind: string, name: string, namespace?: string): KubeObject => ({
  ...{ apiVersion, kind },
  metadata: { name, ...(namespace !== undefined && { namespace }) },
});
const kubeSystem = object('v1', 'Namespace', 'kube-system');
const ours = [
  object('v1', 'Namespace', 'shop'),
  object('apps/v1', 'Deployment', 'istiod', 'istio-system'),
  object('apps/v1', 'Deployment', 'catalog', 'shop'),
].map((one) => labelManaged(one, 'shop'));
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'left-'));
  at = { ...thisWorkspace({ MESHWRIGHT_STATE_DIR: join(root, 'state') }), root };
  mkdirSync(at.stateDir);
  for (const name of names) {
    const api = apis[name];
    api.objects.clear();
    api.intervene = () => undefined;
    api.put({ ...kubeSystem, metadata: { name: 'kube-system', uid: `uid-of-${name}` } });
    const managedFields = [{ manager: 'meshwright', operation: 'Apply' }];
    for (const one of ours) api.put({ ...one, metadata: { ...one.metadata, managedFields } });
  }
});
afterEach(() => {
  rmSync(at.root, { recursive: true });
});

const accessTo = (clusters: readonly Name[]) =>
  Object.fromEntries(clusters.map((name) => [name, { kubeconfig: apis[name].kubeconfig, context: name }]));
const recordOf = (declared: readonly Name[], left: UpRecord['access']): UpRecord => ({
  ...{ engine: 'apply', lab: false, environment: 'lab' },
  mesh: { name: 'shop', controlPlane: 'istio-system' },
  access: accessTo(declared),
  left,
});
const nowhere = { kubeconfig: '/nowhere/config', context: 'gone' };
const signal = new AbortController().signal;
const remove = (record: UpRecord) => {
  recordStart(at.stateDir, record);
  return removeLeft(at, record, join(at.root, 'trust'), signal);
};
/** How many objects of the mesh each cluster has. */
const ofMesh = () => names.map((name) => ours.filter((one) => apis[name].get(one) !== undefined).length);

test('is announced, with each cluster and its context, before anything is changed', () => {
  const { kubeconfig } = apis.west;
  expect(tellLeft(recordOf(['east', 'north'], { ...accessTo(['west']), gone: nowhere }))).toEqual([
    `cluster west is no longer declared: when the mesh is applied to east, north and proved there, all of it is deleted from west (context west of ${kubeconfig})`,
    'cluster gone is no longer declared: when the mesh is applied to east, north and proved there, all of it is deleted from gone (context gone of /nowhere/config)',
  ]);
  const { left, ...declared } = recordOf(['east'], {});
  expect([left, tellLeft(declared)]).toEqual([{}, []]);
});

describe('the mesh is removed from clusters that are no longer declared', () => {
  test.each<[string, readonly Name[], readonly Name[], readonly number[]]>([
    ['one of two', ['east'], ['west'], [3, 0, 3]],
    ['one of three', ['east', 'north'], ['west'], [3, 0, 3]],
    ['two of three', ['north'], ['east', 'west'], [0, 0, 3]],
  ])('%s, and from no other', async (_, declared, left, expected) => {
    const record = recordOf(declared, accessTo(left));
    await checkLeft(at, record, signal);
    await remove(record);
    expect(ofMesh()).toEqual(expected);
    expect(readRecord(at.stateDir)).not.toHaveProperty('left');
    expect(names.map((name) => apis[name].get(kubeSystem) !== undefined)).toEqual([true, true, true]);
  });

  const away = (access = nowhere) => ({
    exitCode: 1,
    message:
      'cluster gone: is no longer declared, and the mesh is not removed from it yet: the kubeconfig file does not exist; ' +
      `fix: make it answer by context ${access.context} of ${access.kubeconfig} and run the command again; ` +
      `if it no longer exists, remove it from \`left\` in ${join(at.stateDir, 'up.json')}`,
  });

  test('one that cannot be reached is kept in the record, and keeps no other from being removed', async () => {
    const record = recordOf(['east'], { gone: nowhere, ...accessTo(['west']) });
    await checkLeft(at, record, signal);
    expect(await problemOf(remove(record))).toEqual(away());
    expect(ofMesh()).toEqual([3, 0, 3]);
    expect(readRecord(at.stateDir)?.left).toEqual({ gone: nowhere });
  });

  test('one whose API server does not answer is told with why', async () => {
    const west = await KubeApi.start('west');
    await west.stop();
    const { server } = west.client;
    const left = { west: { kubeconfig: west.kubeconfig, context: 'west' } };
    const { exitCode, message } = await problemOf(remove(recordOf(['east'], left)));
    expect(exitCode).toBe(1);
    expect(message.replace(/connect ECONNREFUSED [^;]*/, 'REASON')).toBe(
      `cluster west: is no longer declared, and the mesh is not removed from it yet: its API server ${server} cannot be reached: REASON; ` +
        `fix: make it answer by context west of ${west.kubeconfig} and run the command again; ` +
        `if it no longer exists, remove it from \`left\` in ${join(at.stateDir, 'up.json')}`,
    );
  });

  test('with the engine of Pulumi, which begins with all of its clusters, it has to be reached at once', async () => {
    const record: UpRecord = { ...recordOf(['east'], { gone: nowhere }), engine: 'pulumi' };
    expect(await problemOf(checkLeft(at, record, signal))).toEqual(away());
  });

  test('one that refuses a deletion is kept in the record, and the next time goes on', async () => {
    const record = recordOf(['east'], accessTo(['west']));
    apis.west.intervene = ({ method, path }) =>
      method === 'DELETE' && path.endsWith('/deployments/catalog')
        ? { status: 403, body: { message: 'user may not delete deployments' } }
        : undefined;
    expect(await problemOf(remove(record))).toEqual({
      exitCode: 1,
      message: 'west: Deployment shop/catalog: not deleted: user may not delete deployments',
    });
    expect(readRecord(at.stateDir)?.left).toEqual(accessTo(['west']));
    apis.west.intervene = () => undefined;
    await remove(record);
    expect(ofMesh()).toEqual([3, 0, 3]);
  });
});

describe('a cluster is not removed from while it is declared under another name', () => {
  test('by another context, which is seen before anything is changed, and again before it is removed from', async () => {
    apis.west.put({ ...kubeSystem, metadata: { name: 'kube-system', uid: 'uid-of-east' } });
    const record = recordOf(['north', 'east'], accessTo(['west']));
    const refused = {
      exitCode: 2,
      message:
        'cluster west: is no longer declared, and is the same Kubernetes cluster as east: removing the mesh from it would take down east; ' +
        'allowed a Kubernetes cluster of its own for each name; fix: declare it as west again; to rename it, run `npm run down` first',
    };
    expect(await problemOf(checkLeft(at, record, signal))).toEqual(refused);
    expect(await problemOf(remove(record))).toEqual(refused);
    expect(ofMesh()).toEqual([3, 3, 3]);
  });

  test('nor where the credentials do not tell whether it is', async () => {
    apis.west.intervene = ({ path }) =>
      path.endsWith('/namespaces/kube-system') ? { status: 403, body: { message: 'forbidden' } } : undefined;
    expect(await problemOf(remove(recordOf(['east'], accessTo(['west']))))).toEqual({
      exitCode: 2,
      message:
        'cluster west: is no longer declared, and cannot be told from those that are: the credentials may not get Namespace kube-system; ' +
        'allowed a Kubernetes cluster of its own for each name; fix: grant that right (docs/rights/down.yaml)',
    });
    expect(ofMesh()).toEqual([3, 3, 3]);
  });
});
