import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { modelOnExisting } from '../testing/models.ts';
import { names, object, OnExisting } from '../testing/existing/on-existing.ts';
import { checked, deployment } from '../testing/running-mesh.ts';
import { collectStatus, isHealthy } from './mesh-status.ts';

let on: OnExisting;
beforeAll(async () => {
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
});
afterAll(() => on.stop());
beforeEach(() => {
  on.renew();
  for (const name of names) {
    on.store(name, deployment('shop', 'catalog', 2));
    on.store(name, deployment('shop', 'inventory', 1));
    on.store(
      name,
      object('v1', 'Node', { name: 'n1' }, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }),
    );
    const labels = { 'service.istio.io/canonical-name': 'x' };
    const annotations = { 'istio.io/rev': '1-31-others' };
    on.store(name, object('v1', 'Pod', { name: 'a', namespace: 'shop', labels, annotations }));
  }
});

const collect = (model: MeshModel = modelOnExisting(names)) =>
  collectStatus(model, {
    engine: 'apply',
    access: Object.fromEntries(
      names.map((name) => [name, { kubeconfig: on.apis[name].kubeconfig, context: name }]),
    ),
    probe: () => Promise.resolve({ ok: null, checked }),
  });

test('says whether their control plane is there, by the declared tag, and nothing of their CA and tokens', async () => {
  const status = await collect();
  expect(status.clusters['east']).toEqual({
    context: 'east',
    ready: true,
    ingress: null,
    eastWest: null,
    nodes: 1,
    controlPlanes: [{ revision: 'prod', ready: true, proxies: 1 }],
    certificateNotAfter: null,
    trust: null,
    remotes: {},
  });
  expect(isHealthy(status)).toBe(true);
  for (const name of names)
    expect(on.apis[name].requests.filter(({ path }) => path.includes('/secrets'))).toEqual([]);
});

test('is not healthy where their istiod is not available, or is gone', async () => {
  const istiod = { ...deployment('istio-system', 'istiod-1-31-others', 1, 0) };
  on.store('east', istiod);
  await on.apis.west.client.remove(istiod);
  const status = await collect();
  for (const name of names)
    expect(status.clusters[name]).toMatchObject({
      ready: false,
      controlPlanes: [{ revision: 'prod', ready: false }],
    });
  // Its roll-out is theirs.
  expect(status.rollouts).toEqual([]);
  expect(isHealthy(status)).toBe(false);
});

test('shows the gateways that edges come in by: the own one has to be available, that of others need not be a Deployment', async () => {
  for (const name of names) {
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.5' }] } };
    on.store(name, object('v1', 'Service', { name: 'front', namespace: 'gateways' }, { status }));
  }
  const ingress = { namespace: 'gateways', name: 'front', port: 80, given: {} };
  const own = await collect({ ...modelOnExisting(names), ingress });
  expect(own.clusters['east']).toMatchObject({ ready: false, ingress: 'http://192.0.2.5:80' });
  const joined = {
    namespace: 'gateways',
    serviceAccount: 'front',
    selector: { app: 'front' },
    service: 'front',
  };
  const theirs = await collect({ ...modelOnExisting(names, { ingress: joined }), ingress });
  expect(theirs.clusters['east']).toMatchObject({ ready: true, ingress: 'http://192.0.2.5:80' });
});
