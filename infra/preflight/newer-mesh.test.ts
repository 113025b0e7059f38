import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { existing, lab, Mesh, type ExistingPlatform, type Platform } from '../../charts/index.ts';
import { synthesize } from '../../charts/synth.ts';
import { productVersion } from '../../core/product.ts';
import { connect } from '../kube/connection.ts';
import { labelManaged } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { plural } from '../testing/api-kinds.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { root } from '../testing/meshes.ts';
import { newerMesh } from './newer-mesh.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
  api.intervene = () => undefined;
});

const clusters = { east: { network: 'net-east', region: 'r', zone: 'z' } };
const on = (
  platform: Platform | ExistingPlatform,
  declare: (mesh: Mesh<'east'>) => void = () => undefined,
) => {
  const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform });
  declare(mesh);
  return planMesh(mesh.model(), synthesize(mesh));
};
const ownIstio = on(lab);
const theirIstio = on(existing({ imageHub: 'registry.example/shop', istio: {} }), (mesh) => {
  mesh.namespace('team-a', { shared: true });
  mesh.namespace('team-b', { shared: true });
});

type Annotations = Readonly<Record<string, string>>;

/** What is said of a cluster whose control plane's namespace has these annotations. */
function said(annotations: Annotations): Promise<readonly unknown[]> {
  api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system', annotations } });
  return saidOf(ownIstio);
}

/** What is said of an Istio of others, on which a mesh has default denies with these annotations, by namespace. */
function saidOnTheirs(
  denies: Readonly<Record<string, Annotations>>,
  mesh = 'demo',
): Promise<readonly unknown[]> {
  api.objects.clear();
  for (const [namespace, annotations] of Object.entries(denies)) {
    const metadata = { name: `allow-nothing.${mesh}`, namespace, annotations };
    const policy = { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata };
    api.put({ ...labelManaged(policy, mesh) });
  }
  return saidOf(theirIstio);
}

async function saidOf(plan: typeof ownIstio): Promise<readonly unknown[]> {
  const access = { east: { kubeconfig: api.kubeconfig, context: 'east' } };
  const { east } = await connect(['east'], access, undefined);
  return newerMesh(east!, plan, undefined);
}

const refused = (newer: string) => ({
  where: 'cluster east',
  what: 'a newer version of meshwright brought up the mesh that runs there',
  received: newer,
  allowed: `${productVersion()}, which this is, or older`,
  fix: `use meshwright ${newer} or newer`,
});

test('a mesh that a newer version brought up is refused', async () => {
  for (const newer of ['0.1.1', '0.10.0', '1.0.0'])
    expect(await said({ 'meshwright/version': newer })).toEqual([refused(newer)]);
});

test('so it is on an Istio of others, where all namespaces are shared, by the newest that one of them tells', async () => {
  const version = (text: string) => ({ 'meshwright/version': text });
  expect(await saidOnTheirs({ 'team-a': version('0.1.1') })).toEqual([refused('0.1.1')]);
  expect(await saidOnTheirs({ 'team-b': version('0.1.1') })).toEqual([refused('0.1.1')]);
  expect(await saidOnTheirs({ 'team-a': version('0.9.0'), 'team-b': version('0.10.0') })).toEqual([
    refused('0.10.0'),
  ]);
  expect(await saidOnTheirs({ 'team-a': version(productVersion()), 'team-b': {} })).toEqual([]);
  expect(await saidOnTheirs({})).toEqual([]);
});

test('so it is by a namespace that is no longer declared; another mesh tells nothing', async () => {
  const denies = { 'team-c': { 'meshwright/version': '1.0.0' } };
  expect(await saidOnTheirs(denies)).toEqual([refused('1.0.0')]);
  expect(await saidOnTheirs(denies, 'other')).toEqual([]);
});

test('where policies may not be listed, those that are declared are read by name', async () => {
  api.intervene = ({ path }) =>
    path.endsWith(`/${plural('AuthorizationPolicy')}`) ? { status: 403, body: { message: 'no' } } : undefined;
  const denies = { 'team-a': { 'meshwright/version': '0.9.0' }, 'team-c': { 'meshwright/version': '1.0.0' } };
  expect(await saidOnTheirs(denies)).toEqual([refused('0.9.0')]);
});

test('one of the same or an older version, or of before versions were told, is taken over', async () => {
  for (const version of [productVersion(), '0.0.9', '0.1', 'unknown'])
    expect(await said({ 'meshwright/version': version })).toEqual([]);
  expect(await said({})).toEqual([]);
});
