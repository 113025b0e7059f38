import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { labelManaged } from '../infra/kube/kube-object.ts';
import type { KubeObject } from '../infra/kube/kube-object.ts';
import { KubeApi } from '../infra/testing/kube-api.ts';
import { problemOf } from '../infra/testing/problems.ts';
import { down } from './down.ts';
import { declaredProject } from './testing/project.ts';
import { readRecord, writeRecord, type UpRecord } from './workspace/record.ts';
import { thisWorkspace, type Workspace } from './workspace/workspace.ts';

const names = ['east', 'west', 'north'] as const;
type Name = (typeof names)[number];
const { root: checkout } = thisWorkspace();
const path = process.env['PATH'];
let apis: Readonly<Record<Name, KubeApi>>;
let folder: string;
let at: Workspace;
let printed: string;
beforeAll(async () => {
  const [east, west, north] = await Promise.all(names.map((name) => KubeApi.start(name)));
  apis = { east: east!, west: west!, north: north! };
});
afterAll(async () => {
  await Promise.all(Object.values(apis).map((api) => api.stop()));
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'down-'));
  at = { ...thisWorkspace({ MESHWRIGHT_STATE_DIR: join(folder, 'state') }), root: folder };
  mkdirSync(at.stateDir);
  for (const name of names) fill(name);
  printed = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

const object = (apiVersion: string, kind: string, name: string, namespace?: string): KubeObject => ({
  ...{ apiVersion, kind },
  metadata: { name, ...(namespace !== undefined && { namespace }) },
});
const theirs = object('apps/v1', 'Deployment', 'theirs', 'default');
/** What an `up` of a mesh leaves in a cluster, and a workload of others. */
function fill(cluster: Name, mesh = 'shop'): void {
  const api = apis[cluster];
  api.objects.clear();
  api.intervene = () => undefined;
  const ours = [
    object('v1', 'Namespace', 'shop'),
    object('v1', 'Namespace', 'istio-system'),
    object('apps/v1', 'Deployment', 'istiod', 'istio-system'),
    object('v1', 'Secret', 'istio-remote-secret-east', 'istio-system'),
    object('apps/v1', 'Deployment', 'catalog', 'shop'),
  ].map((one) => labelManaged(one, mesh));
  const managedFields = [{ manager: 'meshwright', operation: 'Apply' }];
  for (const one of ours) api.put({ ...one, metadata: { ...one.metadata, managedFields } });
  api.put({ ...theirs, metadata: { ...theirs.metadata } });
}
/** How many objects each cluster has beside that of others, which stays. */
const left = () => {
  expect(names.filter((name) => apis[name].get(theirs) === undefined)).toEqual([]);
  return names.map((name) => apis[name].objects.size - 1);
};
const accessTo = (clusters: readonly Name[]) =>
  Object.fromEntries(clusters.map((name) => [name, { kubeconfig: apis[name].kubeconfig, context: name }]));
/** As an `up` in these clusters records it. */
const recordOf = (clusters: readonly Name[], more: Partial<UpRecord> = {}): UpRecord => ({
  ...{ engine: 'apply', lab: false, environment: 'lab' },
  mesh: { name: 'shop', controlPlane: 'istio-system' },
  access: accessTo(clusters),
  ...more,
});
const take = () => down(at, {}, new AbortController().signal);

/** A declaration of today. */
const declaring = (name: string, ...clusters: readonly Name[]) => `
import { declare, lab, Mesh } from '${checkout}/charts/index.ts';
const clusters = ${JSON.stringify(Object.fromEntries(clusters.map((one) => [one, { network: one, region: one, zone: one }])))};
export default declare({
  environments: { lab: { platform: lab, clusters } },
  mesh: ({ root, values }) => {
    const mesh = new Mesh('${name}', { root, trustDomain: 'shop.example', ...values });
    mesh.namespace('${name}');
    return mesh;
  },
});
`;

test.each([
  ['lost a cluster', declaring('shop', 'east')],
  ['got a cluster', declaring('shop', 'east', 'west', 'north')],
  ['exchanged a cluster', declaring('shop', 'east', 'north')],
  ['another name', declaring('store', 'east', 'west')],
  ['another name and other clusters', declaring('store', 'north')],
  ['an environment of another name', declaring('shop', 'east', 'west').replace('lab:', 'prod:')],
  ['mistakes', 'export default nothing;'],
])('down removes what up made, and nothing else, where the declaration has %s since', async (_, mesh) => {
  writeFileSync(join(at.root, 'mesh.ts'), mesh);
  writeRecord(at.stateDir, recordOf(['east', 'west']));
  expect(await take()).toBe(0);
  expect(left()).toEqual([0, 0, 5]);
  expect(readRecord(at.stateDir)).toBeUndefined();
  expect(printed).toMatch(/all that up made is removed\n$/);
});

test('down removes a mesh from three clusters, one of them no longer declared, and not one of another name', async () => {
  fill('west', 'store');
  writeRecord(at.stateDir, recordOf(['east', 'west'], { left: accessTo(['north']) }));
  expect(await take()).toBe(0);
  expect(left()).toEqual([0, 5, 0]);
});

test('what down keeps, it says at its end, too', async () => {
  const copy = labelManaged(object('v1', 'ConfigMap', 'copy', 'default'), 'shop');
  apis.east.put({ ...copy, metadata: { ...copy.metadata } });
  writeRecord(at.stateDir, recordOf(['east']));
  expect(await take()).toBe(0);
  expect(printed).toMatch(/all that up made is removed, but for 1 kept: the lines above say what and why\n$/);
});

test('a cluster that was destroyed keeps down from none of the others, and is told with what to do', async () => {
  const gone = { kubeconfig: join(folder, 'destroyed'), context: 'west' };
  const record = recordOf(['east'], { left: { west: gone, ...accessTo(['north']) } });
  writeRecord(at.stateDir, record);
  const file = join(at.stateDir, 'up.json');
  expect(await problemOf(take())).toEqual({
    exitCode: 1,
    message:
      'cluster west: is no longer declared, and the mesh is not removed from it yet: the kubeconfig file does not exist; ' +
      `fix: make it answer by context west of ${gone.kubeconfig} and run the command again; ` +
      `if it no longer exists, remove it from \`left\` in ${file}`,
  });
  expect(left()).toEqual([0, 5, 0]);
  expect(readRecord(at.stateDir)?.left).toEqual({ west: gone });
  const { left: none, ...rest } = record;
  expect(none).toBeDefined();
  writeRecord(at.stateDir, rest);
  expect(await take()).toBe(0);
  expect(readRecord(at.stateDir)).toBeUndefined();
});

test('down by the record of an earlier version, which has no name, goes by the declared one', async () => {
  const { mesh, ...older } = recordOf(['east', 'north']);
  expect(mesh?.name).toBe('shop');
  at = { ...at, root: declaredProject() };
  writeRecord(at.stateDir, older);
  expect(await take()).toBe(0);
  expect(left()).toEqual([0, 5, 0]);
});

test('down keeps the record until everything is removed, and goes on with it', async () => {
  writeRecord(at.stateDir, recordOf(['east', 'west']));
  apis.west.intervene = ({ method, path }) =>
    method === 'DELETE' && path.endsWith('/deployments/catalog')
      ? { status: 403, body: { message: 'user may not delete deployments' } }
      : undefined;
  expect(await problemOf(take())).toEqual({
    exitCode: 1,
    message: 'west: Deployment shop/catalog: not deleted: user may not delete deployments',
  });
  expect(readRecord(at.stateDir)).toEqual(recordOf(['east', 'west']));
  apis.west.intervene = () => undefined;
  expect(await take()).toBe(0);
  expect(left()).toEqual([0, 0, 5]);
});

test("on an Istio of others, down looks into the namespaces that up wrote in, not into today's", async () => {
  const applied = { managedFields: [{ manager: 'meshwright', operation: 'Apply' }] };
  const inTeam = labelManaged(object('v1', 'ConfigMap', 'ours', 'team-a'), 'shop');
  const ofNamesake = labelManaged(object('apps/v1', 'Deployment', 'billing', 'team-b'), 'shop');
  for (const one of [inTeam, ofNamesake, object('v1', 'Namespace', 'team-a')])
    apis.east.put({ ...one, metadata: { ...one.metadata, ...applied } });
  const mesh = { name: 'shop', controlPlane: 'istio-system', sharedNamespaces: ['team-a'] };
  writeRecord(at.stateDir, recordOf(['east'], { mesh, namespaces: ['shop', 'team-a'] }));
  expect(await take()).toBe(0);
  const there = [
    object('v1', 'Namespace', 'shop'),
    inTeam,
    ofNamesake,
    object('v1', 'Namespace', 'team-a'),
    object('v1', 'Namespace', 'istio-system'),
  ].map((one) => apis.east.get(one) !== undefined);
  expect(there).toEqual([false, false, true, true, true]);
});

test("down finds Pulumi's stack by the name that the mesh had, and then sweeps its clusters", async () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const calls = join(folder, 'calls');
  writeFileSync(
    join(bin, 'pulumi'),
    `#!/bin/sh\n[ "$1" = version ] && echo v3.248.0 && exit\necho "$*" >> ${calls}\n` +
      `case "$*" in *history*) echo '[{"version":1}]';; *export*) echo '{"version":3,"deployment":{}}';; esac\n`,
  );
  chmodSync(join(bin, 'pulumi'), 0o755);
  process.env['PATH'] = [bin, path].join(delimiter);
  // The stand-in for Pulumi sends no events, and its library misses them aloud.
  jest.spyOn(console, 'warn').mockReturnValue();
  mkdirSync(join(at.stateDir, 'pulumi'));
  writeFileSync(join(at.stateDir, 'pulumi', 'Pulumi.yaml'), 'name: meshwright\nruntime: nodejs\n');
  writeFileSync(join(at.root, 'mesh.ts'), declaring('store', 'east'));
  writeRecord(at.stateDir, recordOf(['east', 'west'], { engine: 'pulumi' }));
  expect(await take()).toBe(0);
  expect(readFileSync(calls, 'utf8')).toMatch(/^stack select --stack shop/m);
  expect(readFileSync(calls, 'utf8')).toMatch(/^destroy --yes/m);
  expect(left()).toEqual([0, 0, 5]);
  expect(readRecord(at.stateDir)).toBeUndefined();
});
