import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { modelOf } from '../testing/models.ts';
import { takenNames } from './taken-names.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.objects.clear();
  api.requests.length = 0;
});

const object = (apiVersion: string, kind: string, name: string, namespace?: string): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }) },
});
const declared = [
  object('v1', 'Namespace', 'shop'),
  object('v1', 'Service', 'ledger', 'shop'),
  object('apps/v1', 'Deployment', 'ledger', 'shop'),
  object('security.istio.io/v1', 'AuthorizationPolicy', 'ledger', 'shop'),
  object('v1', 'ConfigMap', 'coredns', 'kube-system'),
];
const planned = declared.map((one) => labelManaged(one, 'shop'));
const plan = planMesh(modelOf(['east', 'west']), [
  { cluster: 'east', stage: '40-services', path: '', yaml: '', objects: planned },
]);
const release = [labelManaged(object('v1', 'ConfigMap', 'istio', 'istio-system'), 'shop')];
const put = (object: KubeObject, metadata: object = {}) => {
  api.put({ ...object, metadata: { ...object.metadata, ...metadata } });
};
const taken = () => takenNames(api.client, plan, release, undefined);
const handOver = (name: string) =>
  `hand it over to meshwright, which then overwrites it, and deletes it at \`down\`: kubectl label ${name} app.kubernetes.io/managed-by=meshwright app.kubernetes.io/part-of=shop --overwrite`;

describe('names that others have', () => {
  test('are told all at once, of any kind, in namespaces of the mesh and elsewhere', async () => {
    for (const one of [...declared, ...release]) put(one, { labels: { owner: 'team-l' } });
    put(object('v1', 'Secret', 'istio-remote-secret-west', 'istio-system'));
    put(object('v1', 'ConfigMap', 'meshwright-trust', 'istio-system'));
    put(object('v1', 'Secret', 'cacerts', 'istio-system'));
    const inOurs =
      'exists already in a namespace that is declared as ours, and belongs to others: the mesh would overwrite it';
    const elsewhere =
      'exists already in a namespace that the mesh does not make, and belongs to others: the mesh would overwrite it';
    const rename = 'declare another name, have its owners delete it, or ';
    const remove = 'have its owners delete it, or ';
    expect(await taken()).toEqual([
      {
        where: 'east: Service shop/ledger',
        what: inOurs,
        fix: rename + handOver('service ledger --namespace shop'),
      },
      {
        where: 'east: Deployment shop/ledger',
        what: inOurs,
        fix: rename + handOver('deployment.apps ledger --namespace shop'),
      },
      {
        where: 'east: AuthorizationPolicy shop/ledger',
        what: inOurs,
        fix: rename + handOver('authorizationpolicy.security.istio.io ledger --namespace shop'),
      },
      {
        where: 'east: ConfigMap kube-system/coredns',
        what: elsewhere,
        fix: rename + handOver('configmap coredns --namespace kube-system'),
      },
      {
        where: 'east: ConfigMap istio-system/istio',
        what: elsewhere,
        fix: remove + handOver('configmap istio --namespace istio-system'),
      },
      {
        where: 'east: Secret istio-system/cacerts',
        what: elsewhere,
        fix: remove + handOver('secret cacerts --namespace istio-system'),
      },
      {
        where: 'east: ConfigMap istio-system/meshwright-trust',
        what: elsewhere,
        fix: remove + handOver('configmap meshwright-trust --namespace istio-system'),
      },
      {
        where: 'east: Secret istio-system/istio-remote-secret-west',
        what: elsewhere,
        fix: remove + handOver('secret istio-remote-secret-west --namespace istio-system'),
      },
    ]);
  });

  test('in a mesh of another name are told with it', async () => {
    for (const one of declared.slice(1, 2)) put(labelManaged(one, 'store'));
    expect(await taken()).toEqual([
      {
        where: 'east: Service shop/ledger',
        what: 'belongs to mesh store, and this mesh would overwrite it',
        fix: 'declare another name, or take that mesh down first',
      },
    ]);
  });

  test.each([
    ['what has the labels of the mesh: an earlier version, Pulumi or a hand-over', { labels: true, by: 'x' }],
    ['what an apply of ours wrote, though its labels are gone', { labels: false, by: 'meshwright' }],
  ])('are not %s', async (_, { labels, by }) => {
    const managedFields = [{ manager: by, operation: 'Apply' }];
    for (const one of labels ? [...planned, ...release] : [...declared, ...release])
      put(one, { managedFields });
    expect(await taken()).toEqual([]);
  });

  test('take no request for an object that has the labels of the mesh', async () => {
    for (const one of [...planned, ...release]) put(one);
    expect(await taken()).toEqual([]);
    const paths = planned.flatMap(({ metadata: { name, namespace } }) => namespace && `${namespace}/${name}`);
    expect(
      api.requests.filter(({ path }) => paths.some((one) => one && path.endsWith(one.split('/')[1] ?? ''))),
    ).toEqual([]);
  });
});
