import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { preflightMesh } from './preflight.ts';
import { parseConfig } from '../plan/stack-config.ts';
import { KubeApi } from '../testing/kube-api.ts';
import type { SeenRequest } from '../testing/kube-api.ts';
import { modelOf } from '../testing/models.ts';
import { problemOf } from '../testing/problems.ts';
import { ensureTrust } from '../trust/folder.ts';
import { cacertsSecret } from '../trust/objects.ts';
import type { ClusterTrust } from '../trust/folder.ts';

let api: KubeApi;
let folder: string;
let trust: Readonly<Record<string, ClusterTrust>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'preflight-'));
  api = await KubeApi.start('east');
  trust = await ensureTrust(join(folder, 'ours'), 'shop', ['east'], 'istio-system');
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await api.stop();
});
afterEach(() => {
  api.objects.clear();
});

const object = (apiVersion: string, kind: string, metadata: KubeObject['metadata']): KubeObject => ({
  apiVersion,
  kind,
  metadata,
});
const namespace = (name: string) => object('v1', 'Namespace', { name });
const istiod = (name: string, home: string) =>
  object('apps/v1', 'Deployment', { name, namespace: home, labels: { app: 'istiod' } });
const shared = [
  object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { name: 'gateways.networking.istio.io' }),
  object('rbac.authorization.k8s.io/v1', 'ClusterRole', { name: 'istiod-clusterrole-istio-system' }),
  object('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', { name: 'istio-cni' }),
  object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', {
    name: 'istio-sidecar-injector',
  }),
  object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', {
    name: 'istio-validator-istio-system',
  }),
];
const unrelated = [
  object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { name: 'gateways.example.com' }),
  object('rbac.authorization.k8s.io/v1', 'ClusterRole', { name: 'admin' }),
  object('apps/v1', 'Deployment', { name: 'web', namespace: 'shop', labels: { app: 'web' } }),
  namespace('default'),
];
const plan = planMesh(modelOf(['east']), [
  {
    cluster: 'east',
    stage: '00-namespaces',
    path: 'east/00-namespaces.k8s.yaml',
    yaml: '',
    objects: ['istio-system', 'shop'].map((name) => labelManaged(namespace(name), 'shop')),
  },
]);
const preflight = (of = plan) =>
  preflightMesh(
    of,
    parseConfig(
      { clusters: { east: { kubeconfig: api.kubeconfig, context: 'east' } }, trustDir: 'ours' },
      folder,
      'test',
    ),
  );
const store = (...objects: readonly KubeObject[]) => {
  for (const one of objects) api.put({ ...one, metadata: { ...one.metadata } });
};

describe('preflightMesh', () => {
  test('accepts a cluster without a mesh, and one with this mesh', async () => {
    store(...unrelated);
    expect(Object.keys((await preflight()).clients)).toEqual(['east']);
    const ours = [namespace('shop'), istiod('istiod', 'istio-system'), ...shared];
    store(...ours.map((one) => labelManaged(one, 'shop')));
    store(cacertsSecret('shop', 'istio-system', trust['east']!));
    expect((await preflight()).trust).toEqual(trust);
  });

  test('refuses an Istio of somebody else, wherever it is, and another trust: all at once, writing nothing', async () => {
    const other = await ensureTrust(join(folder, 'other'), 'shop', ['east'], 'istio-system');
    store(...unrelated, ...shared, istiod('istiod', 'istio-system'), istiod('istiod-1-30', 'mesh'));
    store(cacertsSecret('shop', 'istio-system', other['east']!));
    api.requests.length = 0;
    const istio = (name: string) =>
      `east: ${name}: belongs to an Istio that meshwright did not install; fix: declare platform: existing({ ... }) to run on it, uninstall it first, or use another cluster`;
    expect(await problemOf(preflight())).toEqual({
      exitCode: 2,
      message: [
        istio('Deployment istio-system/istiod'),
        istio('Deployment mesh/istiod-1-30'),
        istio('CustomResourceDefinition gateways.networking.istio.io'),
        istio('ClusterRole istiod-clusterrole-istio-system'),
        istio('ClusterRoleBinding istio-cni'),
        istio('MutatingWebhookConfiguration istio-sidecar-injector'),
        istio('ValidatingWebhookConfiguration istio-validator-istio-system'),
        'east: Secret istio-system/cacerts: contains a different root CA than the trust folder; replacing it would cut off every running workload; fix: restore the trust folder that this mesh was created with, or take the mesh down first',
      ].join('\n'),
    });
    const reads = ({ method, path }: SeenRequest) => method === 'GET' || path.endsWith('accessreviews');
    expect(api.requests.filter((request) => !reads(request))).toEqual([]);
  });

  test('refuses names that others have, and another mesh of the same root and name, all at once', async () => {
    store(cacertsSecret('shop', 'istio-system', trust['east']!));
    store(labelManaged(namespace('istio-system'), 'shop'), labelManaged(namespace('shop'), 'shop'));
    const config = object('v1', 'ConfigMap', {
      ...{ name: 'istio', namespace: 'istio-system', labels: { 'istio.io/rev': 'default' } },
    });
    store(labelManaged({ ...config, data: { mesh: 'trustDomain: prod.example' } }, 'shop'));
    const dns = object('v1', 'ConfigMap', { name: 'coredns', namespace: 'kube-system' });
    store(dns);
    const [first] = plan.steps;
    const own = plan.steps.map((step) =>
      step === first ? { ...step, objects: [...step.objects, labelManaged(dns, 'shop')] } : step,
    );
    expect(await problemOf(preflight({ ...plan, steps: own }))).toEqual({
      exitCode: 2,
      message: [
        'east: Namespace istio-system: has the control plane of another mesh that is named shop, or of another environment of it: this one would take it over; received "trust domain prod.example"; allowed trust domain shop.example; fix: check which clusters the stack or --context names: two meshes in one cluster need two names; to change the environment or the trust domain of a mesh that is up, take it down first',
        'east: ConfigMap kube-system/coredns: exists already in a namespace that the mesh does not make, and belongs to others: the mesh would overwrite it; fix: declare another name, have its owners delete it, or hand it over to meshwright, which then overwrites it, and deletes it at `down`: kubectl label configmap coredns --namespace kube-system app.kubernetes.io/managed-by=meshwright app.kubernetes.io/part-of=shop --overwrite',
      ].join('\n'),
    });
  });

  test('refuses to take the control plane from a pod that nothing makes anew', async () => {
    const pod = (name: string, labels: Readonly<Record<string, string>>, owner?: string): KubeObject => ({
      ...object('v1', 'Pod', {
        name,
        namespace: 'shop',
        labels: { 'service.istio.io/canonical-name': 'x', ...labels },
        annotations: { 'istio.io/rev': 'default' },
        ...(owner === undefined ? {} : { ownerReferences: [{ kind: owner }] }),
      }),
    });
    store(
      pod('by-hand', {}),
      pod('selected', { app: 'web' }),
      pod('of-a-job', {}, 'Job'),
      labelManaged(pod('ours', {}), 'shop'),
    );
    const template = { metadata: { labels: { app: 'web', 'istio.io/rev': '1-30' } } };
    const web = {
      ...object('apps/v1', 'Deployment', { name: 'web', namespace: 'shop' }),
      spec: { selector: { matchLabels: { app: 'web' } }, template },
    };
    const operator = object('install.istio.io/v1alpha1', 'IstioOperator', { name: 'istio' });
    const planned = (revision: string | undefined) =>
      planMesh(modelOf(['east']), [
        {
          cluster: 'east',
          stage: '50-workloads',
          path: 'east/50-workloads.k8s.yaml',
          yaml: '',
          objects: [web, { ...operator, spec: { revision } }],
        },
      ]);
    expect(await problemOf(preflight(planned('1-30')))).toEqual({
      exitCode: 2,
      message:
        'east: Pod shop/by-hand: its proxy was injected by a control plane that is no longer declared, and no declared workload replaces this pod; received "default"; allowed 1-30; fix: move its namespace to a declared control plane, restart or delete the pod, then remove the old control plane',
    });
    await preflight(planned(undefined));
  });

  test('refuses a namespace of somebody else, until it is handed over', async () => {
    store(namespace('shop'));
    expect(await problemOf(preflight())).toEqual({
      exitCode: 2,
      message:
        'east: Namespace shop: exists already, and meshwright did not create it; fix: declare another name, or hand it over to meshwright; `down` then deletes it once it holds nothing of others: kubectl label namespace shop app.kubernetes.io/managed-by=meshwright app.kubernetes.io/part-of=shop --overwrite',
    });
    store(labelManaged(namespace('shop'), 'shop'));
    await preflight();
  });

  test('refuses an object outside of namespaces that somebody else made, and that is no part of Istio', async () => {
    const role = object('rbac.authorization.k8s.io/v1', 'ClusterRole', { name: 'reader' });
    const [first, ...steps] = plan.steps;
    const withRole = {
      ...plan,
      steps: [{ ...first!, objects: [...first!.objects, labelManaged(role, 'shop')] }, ...steps],
    };
    store(role);
    expect(await problemOf(preflight(withRole))).toEqual({
      exitCode: 2,
      message:
        'east: ClusterRole reader: exists already, and meshwright did not create it; fix: give the one that is declared another name',
    });
  });

  test('refuses what another mesh of meshwright holds', async () => {
    store(labelManaged(namespace('istio-system'), 'market'));
    expect(await problemOf(preflight())).toEqual({
      exitCode: 2,
      message:
        'east: Namespace istio-system: belongs to mesh market; fix: take that mesh down first, or use another cluster',
    });
  });
});
