import { describe, expect, test } from '@jest/globals';
import { synthesize } from '../../charts/synth.ts';
import { edge, joined, onExisting, shopOnExisting } from '../../charts/testing/existing.ts';
import { withProject } from '../../charts/testing/project.ts';
import { field } from '../kube/kube-object.ts';
import { waves } from '../kube/waves.ts';
import { planMesh } from '../plan/plan.ts';
import { documentsIn, folderOf } from '../testing/exported.ts';
import { exportTree } from './tree.ts';

const store = { kind: 'ClusterSecretStore', name: 'vault', key: '{cluster}/{secret}' } as const;
const argocd = { repo: 'https://git.example.com/gitops.git', revision: 'main', path: 'mesh' };

describe.each([
  ['with an ingress gateway of its own', {}, ['demo-ingress', 'shop', 'team-a']],
  ['at gateways of others', joined, ['shop', 'team-a']],
] as const)('the tree of a mesh on an Istio of others, %s', (_, options, namespaces) => {
  const plan = withProject({}, (root) => {
    const mesh = onExisting(root, options);
    edge(shopOnExisting(mesh));
    return planMesh(mesh.model(), synthesize(mesh));
  });
  const tree = exportTree(plan, { release: () => [], store, argocd });
  // Those of a control plane and its gateways are empty.
  const steps = plan.steps.filter(({ objects }) => objects.length > 0);
  const folders = steps.map(({ cluster, stage }) => `${cluster}/${stage}`);
  const all = folders.flatMap((folder) => folderOf(tree, folder));

  test('holds each object of the plan once, in the order of the drivers, and nothing else', () => {
    for (const { cluster, stage, objects } of plan.steps)
      expect(folderOf(tree, `${cluster}/${stage}`)).toEqual(waves(objects).flat());
    const files = folders.flatMap((folder) => [`${folder}/kustomization.yaml`, `${folder}/objects.yaml`]);
    expect([...tree.files.keys()].sort()).toEqual(['applicationset.yaml', ...files].sort());
    expect(all.length).toBeGreaterThan(60);
  });

  test('holds objects of the mesh alone: no control plane, no secret and no reference to one, no namespace of others', () => {
    expect(tree.secrets).toEqual([]);
    const kinds = new Set(all.map(({ kind }) => kind));
    for (const kind of ['Secret', 'ExternalSecret', 'IstioOperator', 'CustomResourceDefinition', 'DaemonSet'])
      expect(kinds).not.toContain(kind);
    const wide = all.filter(({ metadata }) => metadata.namespace === undefined);
    const made = namespaces.filter((name) => name !== 'team-a');
    expect(wide.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
      plan.clusters.flatMap(() => made.map((name) => `Namespace ${name}`)),
    );
    expect([...new Set(all.flatMap(({ metadata }) => metadata.namespace ?? []))].sort()).toEqual(namespaces);
    for (const { metadata } of all)
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'meshwright',
        'app.kubernetes.io/part-of': 'demo',
      });
    // Nothing waits for a CA, and nothing is patched.
    const named = [...tree.files.values()].flatMap(
      (text) => text.match(/^patches:|cacerts|istio-system/gm) ?? [],
    );
    expect(named).toEqual([]);
  });

  test('is synced in the order of the plan: no stage before what it comes after, in any cluster', () => {
    const [set] = documentsIn(tree.files.get('applicationset.yaml') ?? '');
    const generators = field(set, 'spec', 'generators') as [{ list: { elements: readonly object[] } }];
    expect(generators[0].list.elements).toEqual(steps.map(({ cluster, stage }) => ({ cluster, stage })));
    const synced = field(set, 'spec', 'strategy', 'rollingSync', 'steps') as readonly {
      readonly matchExpressions: readonly [{ readonly values: readonly string[] }];
    }[];
    const order = synced.map(({ matchExpressions: [{ values }] }) => values[0]);
    expect(order).toEqual([...new Set(steps.map(({ stage }) => stage))]);
    for (const { stage, after } of steps)
      for (const before of after) expect(order.indexOf(before.stage)).toBeLessThan(order.indexOf(stage));
    // Workloads come where everything is denied and encrypted already.
    const stageOf = (wanted: string) =>
      order.indexOf(
        steps.find(({ objects }) =>
          objects.some(
            ({ kind, metadata }) => kind === wanted && (metadata.namespace ?? metadata.name) === 'shop',
          ),
        )?.stage,
      );
    for (const kind of ['AuthorizationPolicy', 'PeerAuthentication', 'Sidecar']) {
      expect(stageOf('Namespace')).toBeLessThan(stageOf(kind));
      expect([kind, stageOf(kind) < stageOf('Deployment')]).toEqual([kind, true]);
    }
  });
});
