import { describe, expect, test } from '@jest/globals';
import { synthesize } from '../../charts/synth.ts';
import { shopInTwo } from '../../charts/testing/shop.ts';
import { field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { applicationSet } from './argocd.ts';
import type { ExportedStage } from './argocd.ts';
import { root } from '../testing/meshes.ts';

const source = { repo: 'https://git.example.com/gitops.git', revision: 'main', path: 'clusters/mesh' };

function exported(): readonly ExportedStage[] {
  const mesh = shopInTwo(root);
  return planMesh(mesh.model(), synthesize(mesh)).steps;
}

const template = (set: KubeObject, ...path: readonly string[]) => field(set, 'spec', 'template', ...path);

describe('the ApplicationSet', () => {
  const steps = exported();
  const set = applicationSet('shop', steps, source);

  test('has an Application for each cluster and stage, which reads that folder', () => {
    const [generator] = field(set, 'spec', 'generators') as [{ list: { elements: readonly object[] } }];
    expect(generator.list.elements).toEqual(steps.map(({ cluster, stage }) => ({ cluster, stage })));
    expect(template(set, 'metadata')).toEqual({
      name: 'shop-{{.cluster}}-{{.stage}}',
      labels: { 'meshwright/cluster': '{{.cluster}}', 'meshwright/stage': '{{.stage}}' },
    });
    expect(template(set, 'spec', 'source')).toMatchObject({
      repoURL: 'https://git.example.com/gitops.git',
      targetRevision: 'main',
      path: 'clusters/mesh/{{.cluster}}/{{.stage}}',
    });
    expect(template(set, 'spec', 'destination')).toEqual({ name: '{{.cluster}}' });
  });

  test('takes the place of the tree as it is, though all of it is a template', () => {
    const odd = { repo: 'https://git.example.com/{{a}}.git', revision: '{{b', path: "my clusters/{{{'c'}}" };
    expect(template(applicationSet('shop', steps, odd), 'spec', 'source')).toMatchObject({
      repoURL: 'https://git.example.com/{{`{{`}}a}}.git',
      targetRevision: '{{`{{`}}b',
      path: "my clusters/{{`{{`}}{'c'}}/{{.cluster}}/{{.stage}}",
    });
  });

  test('syncs no stage before all that the plan has before it, in any cluster', () => {
    const rolling = field(set, 'spec', 'strategy', 'rollingSync', 'steps') as readonly {
      readonly matchExpressions: readonly [{ key: string; operator: string; values: readonly string[] }];
    }[];
    const order = rolling.map(({ matchExpressions: [{ key, operator, values }] }) => {
      expect([key, operator, values.length]).toEqual(['meshwright/stage', 'In', 1]);
      return values[0]!;
    });
    expect(new Set(order).size).toBe(order.length);
    for (const { stage, after } of exported() as ReturnType<typeof planMesh>['steps']) {
      expect(order).toContain(stage);
      for (const before of after) expect(order.indexOf(before.stage)).toBeLessThan(order.indexOf(stage));
    }
  });

  test('prunes a ConfigMap of former pods in the Application that replaces these, and only after them', () => {
    expect(template(set, 'spec', 'syncPolicy', 'syncOptions')).toContain('PruneLast=true');
    const applicationsOf = (wanted: KubeObject['kind'], names: readonly string[]) =>
      steps.flatMap(({ cluster, stage, objects }) =>
        objects
          .filter(({ kind, metadata }) => kind === wanted && names.includes(metadata.name))
          .map(() => `shop-${cluster}-${stage}`),
      );
    const mounted = steps
      .flatMap(({ objects }) => objects)
      .flatMap((object) => {
        const volumes = list(object, 'spec', 'template', 'spec', 'volumes');
        const maps = volumes.flatMap((volume) => text(volume, 'configMap', 'name') ?? []);
        return maps.map((map) => [object.metadata.name, map] as const);
      });
    expect(mounted.length).toBeGreaterThan(0);
    for (const [deployment, map] of mounted)
      expect([map, applicationsOf('ConfigMap', [map])]).toEqual([
        map,
        applicationsOf('Deployment', [deployment]),
      ]);
  });

  test('leaves alone what istiod and nobody else writes', () => {
    expect(template(set, 'spec', 'ignoreDifferences')).toEqual([
      {
        group: 'admissionregistration.k8s.io',
        kind: 'MutatingWebhookConfiguration',
        jqPathExpressions: ['.webhooks[]?.clientConfig.caBundle'],
      },
      {
        group: 'admissionregistration.k8s.io',
        kind: 'ValidatingWebhookConfiguration',
        jqPathExpressions: ['.webhooks[]?.clientConfig.caBundle', '.webhooks[]?.failurePolicy'],
      },
    ]);
    expect(template(set, 'spec', 'syncPolicy', 'syncOptions')).toContain('RespectIgnoreDifferences=true');
  });

  test('D14: leaves an autoscaler the replicas of its Deployment, also where the tree states none any more', () => {
    const scaled = (name: string, spec: object): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'shop' },
      spec,
    });
    const scaler = (name: string): KubeObject => ({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name, namespace: 'shop' },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name } },
    });
    const objects = [
      scaled('stated', { replicas: 2 }),
      scaler('stated'),
      scaled('left-out', {}),
      scaler('left-out'),
      scaled('by-hand', { replicas: 2 }),
    ];
    const stages = ['east', 'west'].map((cluster) => ({ cluster, stage: '50-workloads' as const, objects }));
    const differences = template(applicationSet('shop', stages, source), 'spec', 'ignoreDifferences');
    expect((differences as readonly object[]).slice(2)).toEqual(
      ['stated', 'left-out'].map((name) => ({
        group: 'apps',
        kind: 'Deployment',
        name,
        namespace: 'shop',
        jsonPointers: ['/spec/replicas'],
      })),
    );
  });

  test('may stand in the root of its repository', () => {
    const atRoot = applicationSet('shop', steps, { ...source, path: '.' });
    expect(template(atRoot, 'spec', 'source', 'path')).toBe('{{.cluster}}/{{.stage}}');
  });
});
