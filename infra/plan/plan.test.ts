import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lab, Mesh } from '../../charts/index.ts';
import { stages } from '../../charts/model/stage.ts';
import { synthesize } from '../../charts/synth.ts';
import { shopInTwo } from '../../charts/testing/shop.ts';
import type { RenderedStage } from '../../charts/synth.ts';
import { describe as name, isManaged, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from './plan.ts';
import type { Plan, StageKey } from './plan.ts';
import { waves } from '../kube/waves.ts';
import { modelOf } from '../testing/models.ts';
import { root } from '../testing/meshes.ts';

const operator: KubeObject = {
  apiVersion: 'install.istio.io/v1alpha1',
  kind: 'IstioOperator',
  metadata: { name: 'istio' },
};

/** A mesh of 2 to 4 clusters, with a handful of objects in each stage. */
const meshes = fc
  .record({
    clusters: fc.uniqueArray(fc.constantFrom('alpha', 'beta', 'gamma', 'delta', 'east'), {
      minLength: 2,
      maxLength: 4,
    }),
    counts: fc.array(fc.nat(4), { minLength: 24, maxLength: 24 }),
  })
  .map(({ clusters, counts }) => {
    const rendered: RenderedStage[] = clusters.flatMap((cluster, row) =>
      stages.map((stage, column) => {
        const count = counts[row * stages.length + column] ?? 0;
        const kinds = ['Deployment', 'ConfigMap', 'Service', 'Namespace'];
        const plain = Array.from({ length: count }, (_, index): KubeObject => ({
          apiVersion: 'v1',
          kind: kinds[index % kinds.length] ?? 'Secret',
          metadata: { name: `${stage}-${index}` },
        }));
        const objects = stage === '10-control-plane' ? [...plain, operator] : plain;
        return { cluster, stage, path: `${cluster}/${stage}.k8s.yaml`, yaml: '', objects };
      }),
    );
    return { model: modelOf(clusters), rendered };
  });

describe('planMesh', () => {
  test('applies every rendered object exactly once, in its cluster and stage, and renders the operators', () => {
    fc.assert(
      fc.property(meshes, ({ model, rendered }) => {
        const { steps } = planMesh(model, rendered);
        for (const { cluster, stage, objects } of rendered) {
          const mine = steps.filter((step) => step.cluster === cluster && step.stage === stage);
          expect(mine.flatMap((step) => [...step.objects, ...step.releases])).toEqual(objects);
        }
        expect(steps).toHaveLength(rendered.length);
        expect(steps.flatMap(({ objects }) => objects)).not.toContain(operator);
      }),
    );
  });

  test('a step stands after everything it waits for, and waits for the stage before it in its cluster', () => {
    fc.assert(
      fc.property(meshes, ({ model, rendered }) => {
        const { steps } = planMesh(model, rendered);
        const key = ({ cluster, stage }: StageKey) => `${cluster}/${stage}`;
        const position = new Map(steps.map((step, index) => [key(step), index]));
        for (const step of steps) {
          const previous = stages[stages.indexOf(step.stage) - 1];
          const waits = step.after.map(key);
          if (previous !== undefined) expect(waits).toContain(`${step.cluster}/${previous}`);
          for (const before of waits) {
            expect(position.get(before)).toBeLessThan(position.get(key(step)) ?? -1);
          }
        }
      }),
    );
  });

  test('opens every cluster to every other one, after its control plane is there', () => {
    fc.assert(
      fc.property(meshes, ({ model, rendered }) => {
        const { steps, clusters } = planMesh(model, rendered);
        const opened = steps.flatMap((step) =>
          step.secrets.flatMap((secret) =>
            secret.kind === 'remote-secret' ? [`${step.cluster} reads ${secret.of}`] : [],
          ),
        );
        const pairs = clusters.flatMap((local) =>
          clusters.filter((remote) => remote !== local).map((remote) => `${local} reads ${remote}`),
        );
        expect(opened.toSorted()).toEqual(pairs.toSorted());
        for (const step of steps.filter(({ secrets }) =>
          secrets.some(({ kind }) => kind === 'remote-secret'),
        )) {
          const controlPlanes = step.after
            .filter(({ stage }) => stage === '10-control-plane')
            .map(({ cluster }) => cluster);
          expect(controlPlanes.toSorted()).toEqual(clusters.toSorted());
        }
      }),
    );
  });

  test('gives each control plane its CA before the release that reads it', () => {
    fc.assert(
      fc.property(meshes, ({ model, rendered }) => {
        const withCa = planMesh(model, rendered).steps.filter(({ secrets }) =>
          secrets.some(({ kind }) => kind === 'cacerts'),
        );
        expect(withCa.map(({ cluster }) => cluster)).toEqual(model.clusters.map((cluster) => cluster.name));
        for (const step of withCa) {
          expect(step.releases).toHaveLength(1);
          expect(step.secrets).toEqual([{ kind: 'cacerts', namespace: 'istio-system', name: 'cacerts' }]);
        }
      }),
    );
  });

  test('refuses a rendered stage of a cluster that the model lacks', () => {
    const stray: RenderedStage = {
      cluster: 'north',
      stage: '30-mesh',
      path: 'north/30-mesh.k8s.yaml',
      yaml: '',
      objects: [],
    };
    expect(() => planMesh(modelOf(['east']), [stray])).toThrow(
      new Error('north/30-mesh.k8s.yaml is rendered for a cluster that is not in the model'),
    );
  });
});

/** The ConfigMaps that the pods of a Deployment mount, each as `ConfigMap shop/NAME`. */
function configMapsOf(deployment: KubeObject): readonly string[] {
  return list(deployment, 'spec', 'template', 'spec', 'volumes').flatMap((volume) => {
    const mounted = text(volume, 'configMap', 'name');
    return mounted === undefined ? [] : [`ConfigMap ${deployment.metadata.namespace ?? ''}/${mounted}`];
  });
}

describe('the plan of the sample mesh', () => {
  const mesh = shopInTwo(root);
  const plan: Plan = planMesh(mesh.model(), synthesize(mesh));

  test('ends each stage with what the next one needs', () => {
    const ready = (stage: string) =>
      plan.steps
        .filter((step) => step.stage === stage && step.cluster === 'east')
        .flatMap((step) => step.ready.map(({ kind, object }) => `${name(object)} ${kind}`))
        .toSorted();
    expect(ready('00-namespaces')).toEqual([
      'Namespace istio-eastwest active',
      'Namespace istio-ingress active',
      'Namespace istio-system active',
      'Namespace shop active',
    ]);
    expect(ready('20-gateways')).toEqual([
      'Deployment istio-eastwest/istio-eastwestgateway available',
      'Deployment istio-ingress/istio-ingressgateway available',
      'Service istio-eastwest/istio-eastwestgateway address',
      'Service istio-ingress/istio-ingressgateway address',
    ]);
    expect(ready('50-workloads')).toEqual(
      expect.arrayContaining(['Deployment shop/catalog available', 'Deployment shop/orders available']),
    );
  });

  test('renders the control plane of every cluster with istioctl instead of applying the operator', () => {
    const rendering = plan.steps.filter(({ releases }) => releases.length > 0);
    expect(rendering.map(({ cluster, stage }) => `${cluster}/${stage}`)).toEqual([
      'east/10-control-plane',
      'west/10-control-plane',
    ]);
  });

  test('renders every control plane of a cluster that is upgraded, in one step', () => {
    const istio = { revisions: { default: {}, canary: {} }, use: 'default' };
    const cluster = { network: 'n1', region: 'r1', zone: 'z1' };
    const other = { network: 'n2', region: 'r2', zone: 'z2' };
    const clusters = { east: { ...cluster, istio }, west: other };
    const upgraded = new Mesh('shop', { root: '.', trustDomain: 'shop.example', clusters, platform: lab });
    const { steps } = planMesh(upgraded.model(), synthesize(upgraded));
    const rendering = steps.filter(({ releases }) => releases.length > 0);
    expect(rendering.map((step) => [step.cluster, ...step.releases.map(name)])).toEqual([
      ['east', 'IstioOperator istio-system/istio', 'IstioOperator istio-system/istio-canary'],
      ['west', 'IstioOperator istio-system/istio'],
    ]);
  });

  test('brings a ConfigMap in the stage of the pods that mount it, and a wave before them', () => {
    for (const { cluster, stage, objects } of plan.steps) {
      const order = waves(objects);
      const waveOf = (wanted: string) => order.findIndex((wave) => wave.map(name).includes(wanted));
      for (const deployment of objects.filter(({ kind }) => kind === 'Deployment'))
        for (const mounted of configMapsOf(deployment)) {
          const place = [cluster, stage, name(deployment), mounted];
          expect([...place, waveOf(mounted) >= 0]).toEqual([...place, true]);
          expect([...place, waveOf(mounted) < waveOf(name(deployment))]).toEqual([...place, true]);
        }
    }
    const mounting = plan.steps
      .flatMap(({ objects }) => objects)
      .filter((one) => configMapsOf(one).length > 0);
    expect(new Set(mounting.map(name))).toEqual(new Set(['Deployment shop/catalog', 'Deployment shop/edge']));
  });

  test('carries the label that removal finds it by on every object', () => {
    const unlabelled = plan.steps
      .flatMap(({ objects }) => objects)
      .filter((object) => !isManaged(object, plan.mesh));
    expect(unlabelled.map(name)).toEqual([]);
  });
});
