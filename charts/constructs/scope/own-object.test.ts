import { expect, test } from '@jest/globals';
import { objectOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { synthesize } from '../../synth.ts';
import type { Mesh, Namespace } from './mesh-construct.ts';
import { OwnObject } from './own-object.ts';

type Two = 'east' | 'west';
const said = (declare: (mesh: Mesh<Two>, shop: Namespace<Two>) => void): readonly string[] =>
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    declare(mesh, mesh.namespace('shop'));
    return problemsOf(mesh);
  });

test('an object of one’s own stands in its stage, in its clusters, with the labels that every object has', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    new OwnObject(mesh, 'important', {
      object: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 1000 },
      stage: '00-namespaces',
    });
    new OwnObject(shop, 'settings', {
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { labels: { tier: 'x' } },
        data: { level: 'info' },
      },
      placement: ['west'],
    });
    new OwnObject(shop, 'widget', {
      object: { apiVersion: 'demo.example/v1', kind: 'Widget', parts: [1, 2] },
    });
    const rendered = synthesize(mesh);
    const labels = (name: string) => ({
      'app.kubernetes.io/managed-by': 'meshwright',
      'app.kubernetes.io/name': name,
      'app.kubernetes.io/part-of': 'demo',
    });
    expect(objectOf(rendered, 'east', 'PriorityClass', 'important')).toEqual({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'important', labels: labels('important') },
      value: 1000,
    });
    const { stage } = rendered.find(({ objects }) => objects.some(({ kind }) => kind === 'PriorityClass'))!;
    expect(stage).toBe('00-namespaces');
    expect(objectOf(rendered, 'east', 'ConfigMap', 'settings')).toBeUndefined();
    expect(objectOf(rendered, 'west', 'ConfigMap', 'settings')).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'shop', labels: { ...labels('settings'), tier: 'x' } },
      data: { level: 'info' },
    });
    expect(objectOf(rendered, 'east', 'Widget', 'widget')).toMatchObject({ parts: [1, 2] });
  });
});

test('what is wrong with it is told, all at once', () => {
  const own = (name: string, props: unknown) => (mesh: Mesh<Two>, shop: Namespace<Two>) =>
    new OwnObject(name === 'wide' ? mesh : shop, name, props as never);
  const object = { apiVersion: 'v1', kind: 'ConfigMap' };
  expect(said(own('a', undefined))).toEqual([
    'demo/shop/a: object: is not an object; received nothing; allowed a Kubernetes object: { apiVersion, kind, ... }',
  ]);
  expect(
    said(
      own('A', {
        object: {
          kind: 7,
          metadata: { name: 'b', labels: { 'app.kubernetes.io/part-of': 'x', a: 1 }, annotations: [] },
        },
        stage: 'last',
        placement: ['weest'],
        objet: 1,
      }),
    ),
  ).toEqual([
    'demo/shop/A: the name of the object is not valid; received "A"; allowed a DNS subdomain: up to 253 characters of a-z, 0-9, hyphen and dot, starting and ending with a letter or digit',
    'demo/shop/A: objet: unknown key; received "objet"; allowed object, stage, placement; fix: did you mean object?',
    'demo/shop/A: stage: there is no such stage; received "last"; allowed 00-namespaces, 10-control-plane, 20-gateways, 30-mesh, 40-services, 50-workloads, 60-traffic, 70-jobs',
    'demo/shop/A: placement: the mesh has no such cluster; received "weest"; allowed east, west; fix: did you mean west?',
    'demo/shop/A: object.apiVersion: is not a text; received nothing; allowed a Kubernetes object: { apiVersion, kind, ... }',
    'demo/shop/A: object.kind: is not a text; received 7; allowed a Kubernetes object: { apiVersion, kind, ... }',
    'demo/shop/A: object.metadata.name: unknown key; received "name"; allowed labels, annotations; fix: remove it; a construct of your own that reads it passes on the other properties only',
    'demo/shop/A: object.metadata.labels.a: is not a text; received 1',
    'demo/shop/A: object.metadata.annotations: is not an object; received []; allowed texts by name',
    'demo/shop/A: object.metadata.labels.app.kubernetes.io/part-of: is a label by which the mesh knows its objects; fix: remove it',
  ]);
  expect(said(own('wide', { object }))).toEqual([
    'demo/wide: ConfigMap wide has no namespace, and would be created in default; allowed istio-eastwest, istio-ingress, istio-system, shop; fix: set its namespace',
  ]);
});

test('gates look at it as at everything else', () => {
  expect(
    said((_, shop) => {
      new OwnObject(shop, 'open', {
        object: {
          apiVersion: 'security.istio.io/v1',
          kind: 'PeerAuthentication',
          spec: { mtls: { mode: 'DISABLE' } },
        },
      });
      new OwnObject(shop, 'settings', {
        object: { apiVersion: 'v1', kind: 'ConfigMap', dta: {} },
      });
    }),
  ).toEqual([
    expect.stringContaining('demo/shop/settings: ConfigMap shop/settings: '),
    'demo/shop/open: PeerAuthentication shop/open: spec.mtls.mode is DISABLE: it accepts calls in plaintext; fix: use STRICT; ' +
      'or, if it has to be so, give the reason in its annotation meshwright/accept-strict-mutual-tls',
  ]);
});

test('a namespace is the mesh’s to declare: its labels say what pods may do there', () => {
  const metadata = { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } };
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata };
  expect(said((mesh) => new OwnObject(mesh, 'kube-system', { object }))).toEqual([
    'demo/kube-system: object: is a namespace, whose labels say what its pods may do; ' +
      'fix: use mesh.namespace(NAME), with podSecurity for another level',
  ]);
});
