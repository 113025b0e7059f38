import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { CronJob, Job, lab, Mesh } from '../../charts/index.ts';
import { synthesize } from '../../charts/synth.ts';
import { planMesh } from '../plan/plan.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { root } from '../testing/meshes.ts';
import { webhookProblems } from './webhooks.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
});

const image = 'registry.example/migrate:1.2.0';
const planOf = (declare: (shop: ReturnType<Mesh<'east'>['namespace']>) => unknown) => {
  const clusters = { east: { network: 'net-east', region: 'r', zone: 'z' } };
  const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
  declare(mesh.namespace('shop'));
  return planMesh(mesh.model(), synthesize(mesh));
};
/** A webhook that nobody answers, about pods with this label alone. */
const guard = (app: string) => {
  api.put({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'guard' },
    webhooks: [
      {
        name: 'pods.guard.example',
        rules: [{ apiGroups: [''], operations: ['CREATE'], resources: ['pods'] }],
        clientConfig: { service: { namespace: 'guard', name: 'guard' } },
        objectSelector: { matchLabels: { 'app.kubernetes.io/name': app } },
      },
    ],
  });
};

test.each([
  ['Job', planOf((shop) => new Job(shop, 'migrate', { image }))],
  ['CronJob', planOf((shop) => new CronJob(shop, 'migrate', { image, schedule: '@daily' }))],
])('a webhook that nobody answers would keep the pods of a %s from being made', async (_, plan) => {
  guard('migrate');
  expect(await webhookProblems(api.client, plan, undefined)).toEqual([
    {
      where: 'east: ValidatingWebhookConfiguration guard',
      what: 'its webhook pods.guard.example matches pods of this mesh, and its Service guard/guard has no endpoint: no pod could be created',
      fix: 'restore the workload that serves it, delete the webhook if that workload is gone, or exclude the namespaces of the mesh in its namespaceSelector',
    },
  ]);
  guard('other');
  expect(await webhookProblems(api.client, plan, undefined)).toEqual([]);
});
