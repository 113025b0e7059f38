import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { lab, Mesh } from '../../charts/index.ts';
import { synthesize } from '../../charts/synth.ts';
import { productVersion } from '../../core/product.ts';
import { connect } from '../kube/connection.ts';
import { planMesh } from '../plan/plan.ts';
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
});

const clusters = { east: { network: 'net-east', region: 'r', zone: 'z' } };
const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
const plan = planMesh(mesh.model(), synthesize(mesh));

/** What is said of a cluster whose control plane's namespace has these annotations. */
async function said(annotations: Readonly<Record<string, string>>): Promise<readonly unknown[]> {
  api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system', annotations } });
  const access = { east: { kubeconfig: api.kubeconfig, context: 'east' } };
  const { east } = await connect(['east'], access, undefined);
  return newerMesh(east!, plan, undefined);
}

test('a mesh that a newer version brought up is refused', async () => {
  for (const newer of ['0.1.1', '0.10.0', '1.0.0'])
    expect(await said({ 'meshwright/version': newer })).toEqual([
      {
        where: 'cluster east',
        what: 'a newer version of meshwright brought up the mesh that runs there',
        received: newer,
        allowed: `${productVersion()}, which this is, or older`,
        fix: `use meshwright ${newer} or newer`,
      },
    ]);
});

test('one of the same or an older version, or of before versions were told, is taken over', async () => {
  for (const version of [productVersion(), '0.0.9', '0.1', 'unknown'])
    expect(await said({ 'meshwright/version': version })).toEqual([]);
  expect(await said({})).toEqual([]);
});
