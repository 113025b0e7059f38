import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { injectionLabels } from '../../charts/constructs/scope/revisions.ts';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { modelOf, modelOnExisting } from '../testing/models.ts';
import { namespaceOf, object } from '../testing/existing/on-existing.ts';
import { problemOf } from '../testing/problems.ts';
import { refuseUnproxied } from './unproxied.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
beforeEach(() => {
  api.objects.clear();
});

const asking = { 'sidecar.istio.io/inject': 'true', 'istio.io/rev': 'prod' };
/** Something that makes pods of that name. */
const maker = (kind: string, namespace: string, name: string, own: object = {}, spec: object = {}) => {
  const template = { metadata: { labels: { app: name, ...own } }, spec };
  const selector = { matchLabels: { app: name } };
  return labelManaged(object('apps/v1', kind, { name, namespace }, { spec: { selector, template } }), 'shop');
};
const withProxy = { initContainers: [{ name: 'istio-proxy' }], containers: [{ name: 'app' }] };
const without = { containers: [{ name: 'app' }] };
const putPod = (namespace: string, name: string, app: string, spec: object, rest: object = {}) => {
  api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { app } }, spec, ...rest });
};

/** Looks at what a step made in `shop`, which is ours, and `team-a`, which is shared. */
function look(
  objects: readonly KubeObject[],
  model = modelOnExisting(['east'], { sharedNamespaces: ['team-a'] }),
) {
  const labels = injectionLabels(model.existing?.revision ?? 'default');
  const rendered = [
    { stage: '00-namespaces' as const, objects: [labelManaged(namespaceOf('shop', labels), 'shop')] },
    { stage: '50-workloads' as const, objects },
  ].map((stage) => ({ ...stage, cluster: 'east', path: '', yaml: '' }));
  const plan = planMesh(model, rendered);
  const step = plan.steps.find(({ stage }) => stage === '50-workloads')!;
  return refuseUnproxied(api.client, step, plan, undefined);
}
const kubectl = () => `kubectl --kubeconfig ${api.kubeconfig} --context east`;
const problem = (of: string, received: string, command: string, who = 'have the owners of Istio look') =>
  `east: ${of}: has pods without a proxy: they answer anybody in plaintext, and no policy holds for them; received "${received}"; fix: ${who} why its injector passed them by (${kubectl()} get mutatingwebhookconfigurations --output yaml), then have them made anew: ${kubectl()} ${command}`;

describe('after the apply, pods without a proxy', () => {
  test('are named, of every workload and namespace', async () => {
    putPod('shop', 'catalog-1', 'catalog', withProxy);
    putPod('shop', 'orders-2', 'orders', without);
    putPod('shop', 'orders-1', 'orders', without);
    putPod('team-a', 'store-0', 'store', without);
    putPod('team-a', 'theirs', 'theirs', without);
    const objects = [
      maker('Deployment', 'shop', 'catalog', asking),
      maker('Deployment', 'shop', 'orders', asking),
      maker('StatefulSet', 'team-a', 'store', asking),
    ];
    expect(await problemOf(look(objects))).toEqual({
      message: [
        problem(
          'Deployment shop/orders',
          'orders-1, orders-2',
          '--namespace shop rollout restart deployment orders',
        ),
        problem(
          'StatefulSet team-a/store',
          'store-0',
          '--namespace team-a rollout restart statefulset store',
        ),
      ].join('\n'),
      exitCode: 1,
    });
  });

  test('are named on an Istio of its own as well', async () => {
    putPod('shop', 'catalog-1', 'catalog', without);
    expect(await problemOf(look([maker('Deployment', 'shop', 'catalog')], modelOf(['east'])))).toEqual({
      message: problem(
        'Deployment shop/catalog',
        'catalog-1',
        '--namespace shop rollout restart deployment catalog',
        'look',
      ),
      exitCode: 1,
    });
  });

  test('of a Job are named by themselves', async () => {
    const labels = { app: 'import', ...asking };
    const metadata = { name: 'import-x', namespace: 'team-a', labels };
    api.put({ apiVersion: 'v1', kind: 'Pod', metadata, spec: without });
    const { spec, ...rest } = maker('Job', 'team-a', 'import', asking);
    const { template } = spec as { readonly template: object };
    expect(await problemOf(look([{ ...rest, spec: { template } }]))).toEqual({
      message: problem('Job team-a/import', 'import-x', '--namespace team-a delete pod import-x'),
      exitCode: 1,
    });
  });

  test.each([
    ['have one as a container of their own, as gateways do', { containers: [{ name: 'istio-proxy' }] }, {}],
    ['have ended', without, { status: { phase: 'Succeeded' } }],
  ])('are none where they %s', async (_, spec, rest) => {
    putPod('shop', 'catalog-1', 'catalog', spec, rest);
    await look([maker('Deployment', 'shop', 'catalog', asking)]);
  });

  test('are right where the declaration wants none for them', async () => {
    for (const name of ['plain', 'node']) putPod('shop', `${name}-1`, name, without);
    await look([
      maker('Deployment', 'shop', 'plain', { 'sidecar.istio.io/inject': 'false' }),
      maker('DaemonSet', 'shop', 'node', asking, { hostNetwork: true }),
    ]);
  });
});
