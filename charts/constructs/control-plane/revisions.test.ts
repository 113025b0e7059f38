import { describe, expect, test } from '@jest/globals';
import { lab, released } from '../../platforms.ts';
import { synthesize } from '../../synth.ts';
import type { RenderedStage } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, clusters, objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { unsupportedIstio, supportedIstio } from '../scope/istio-versions.ts';
import { Mesh } from '../mesh.ts';
import type { ClusterIstio } from '../scope/cluster.ts';
import type { Platform } from '../scope/platform.ts';
import { labelPods } from '../scope/revisions.ts';

const both: ClusterIstio = { revisions: { default: {}, '1-30': { tag: '1.30.0' } }, use: 'default' };

/** A mesh with the catalog in two namespaces, whose cluster east declares its control planes. */
function meshWith(root: string, istio?: ClusterIstio, platform: Platform = lab): Mesh<'east' | 'west'> {
  const east = { ...clusters.east, ...(istio === undefined ? {} : { istio }) };
  const mesh = new Mesh('demo', {
    root,
    trustDomain: 'demo.example',
    clusters: { east, west: clusters.west },
    platform,
  });
  catalogIn(mesh.namespace('shop'));
  catalogIn(mesh.namespace('stock'));
  return mesh;
}

const render = (istio?: ClusterIstio, platform?: Platform): readonly RenderedStage[] =>
  withProject({}, (root) => synthesize(meshWith(root, istio, platform)));

/** What decides which control plane a cluster's pods belong to: by namespace, its label and those of its Deployments' pods. */
function labelsIn(rendered: readonly RenderedStage[], cluster: string): Readonly<Record<string, unknown>> {
  const namespaces = ['istio-eastwest', 'istio-ingress', 'shop', 'stock'];
  return Object.fromEntries(
    namespaces.map((name) => {
      const objects = objectsOf(rendered, cluster, name);
      const labels = objects.find(({ kind }) => kind === 'Namespace')?.metadata.labels ?? {};
      const pods = objects
        .filter(({ kind }) => kind === 'Deployment')
        .map(({ spec }) => spec as { template: { metadata: { labels: Record<string, string> } } })
        .map(({ template }) => template.metadata.labels['istio.io/rev'] ?? '-');
      return [name, [labels['istio-injection'] ?? '-', labels['istio.io/rev'] ?? '-', ...pods]];
    }),
  );
}

/** Each control plane of a cluster: its revision and tag, and whether it brings what there is one of. */
function controlPlanesIn(rendered: readonly RenderedStage[], cluster: string): readonly unknown[] {
  return objectsOf(rendered, cluster)
    .filter(({ kind }) => kind === 'IstioOperator')
    .map(({ metadata, spec }) => {
      const { revision, tag, components, values } = spec as {
        revision?: string;
        tag: string;
        components: { base?: { enabled: boolean }; cni: { enabled: boolean } };
        values: { defaultRevision?: string };
      };
      const shared = [components.base?.enabled ?? true, components.cni.enabled, values.defaultRevision];
      return [metadata.name, revision, tag, ...shared];
    });
}

const onDefault = {
  'istio-eastwest': ['-', '-', '-'],
  'istio-ingress': ['-', '-', '-'],
  shop: ['enabled', '-', '-'],
  stock: ['enabled', '-', '-'],
};
const onCanary = {
  'istio-eastwest': ['-', '-', '1-30'],
  'istio-ingress': ['-', '-', '1-30'],
  shop: ['-', '1-30', '1-30'],
  stock: ['-', '1-30', '1-30'],
};

describe('an upgrade in one cluster', () => {
  const before = render();
  const first = render(both);
  const second = render({ ...both, use: '1-30' });
  const third = render({ revisions: { '1-30': { tag: '1.30.0' } } });

  test('begins with the new control plane beside the old one, and changes nothing else', () => {
    expect(controlPlanesIn(first, 'east')).toEqual([
      ['istio', undefined, lab.istio.tag, true, true, 'default'],
      ['istio-1-30', '1-30', '1.30.0', false, false, undefined],
    ]);
    const others = (rendered: readonly RenderedStage[]) =>
      objectsOf(rendered, 'east').filter(({ metadata }) => metadata.name !== 'istio-1-30');
    expect(others(first)).toEqual(others(before));
    const name = 'control-plane-canary';
    expectGolden(import.meta.url, name, [objectOf(first, 'east', 'IstioOperator', 'istio-1-30')!]);
  });

  test('then moves namespaces, pods and gateways, and what there is one of', () => {
    expect(labelsIn(first, 'east')).toEqual(onDefault);
    expect(labelsIn(second, 'east')).toEqual(onCanary);
    expect(controlPlanesIn(second, 'east')).toEqual([
      ['istio', undefined, lab.istio.tag, false, false, undefined],
      ['istio-1-30', '1-30', '1.30.0', true, true, '1-30'],
    ]);
  });

  test('ends with the old control plane gone, and changes nothing else', () => {
    expect(controlPlanesIn(third, 'east')).toEqual([['istio-1-30', '1-30', '1.30.0', true, true, '1-30']]);
    const others = (rendered: readonly RenderedStage[]) =>
      objectsOf(rendered, 'east').filter(({ kind }) => !['IstioOperator', 'ConfigMap'].includes(kind));
    expect(others(third)).toEqual(others(second));
  });

  test('tells each control plane the trust domain where its revision does not run, and touches the other cluster no more', () => {
    const told = (rendered: readonly RenderedStage[], cluster: string) =>
      objectsOf(rendered, cluster)
        .filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.namespace === 'istio-system')
        .map(({ metadata, data }) => [metadata.name, data]);
    const mesh = { mesh: 'trustDomain: demo.example\n' };
    expect(['east', 'west'].flatMap((cluster) => told(before, cluster))).toEqual([]);
    for (const step of [first, second, third]) {
      expect(told(step, 'west')).toEqual([['istio-1-30', mesh]]);
      const others = objectsOf(step, 'west').filter(({ metadata }) => metadata.name !== 'istio-1-30');
      expect(others).toEqual(objectsOf(before, 'west'));
    }
    expect(told(second, 'east')).toEqual([]);
    // The west's control plane has no revision: it asks for the configuration of one that is gone.
    expect(told(third, 'east')).toEqual([['istio', mesh]]);
  });

  test('may be at another step in each cluster', () => {
    const apart = withProject({}, (root) => {
      const istio = { east: { ...both, use: '1-30' }, west: both };
      const mesh = new Mesh('demo', {
        root,
        trustDomain: 'demo.example',
        clusters: {
          east: { ...clusters.east, istio: istio.east },
          west: { ...clusters.west, istio: istio.west },
        },
        platform: lab,
      });
      catalogIn(mesh.namespace('shop'));
      catalogIn(mesh.namespace('stock'));
      return synthesize(mesh);
    });
    expect([labelsIn(apart, 'east'), labelsIn(apart, 'west')]).toEqual([onCanary, onDefault]);
  });

  test('may move one namespace ahead of the others, or leave one behind', () => {
    const ahead = render({ ...both, namespaces: { shop: '1-30', 'istio-ingress': '1-30' } });
    expect(labelsIn(ahead, 'east')).toEqual({
      ...onDefault,
      shop: onCanary.shop,
      'istio-ingress': onCanary['istio-ingress'],
    });
    const behind = render({ ...both, use: '1-30', namespaces: { stock: 'default' } });
    expect(labelsIn(behind, 'east')).toEqual({ ...onCanary, stock: onDefault.stock });
  });
});

test('the model names the control planes of each cluster', () => {
  const { clusters: seen } = withProject({}, (root) => meshWith(root, both).model());
  const { hub } = lab.istio;
  expect(seen.map(({ controlPlanes }) => controlPlanes)).toEqual([
    [
      { revision: 'default', name: 'istiod', hub, tag: lab.istio.tag },
      { revision: '1-30', name: 'istiod-1-30', hub, tag: '1.30.0' },
    ],
    [{ revision: 'default', name: 'istiod', hub, tag: lab.istio.tag }],
  ]);
});

describe('pods of whatever makes them anew when it changes', () => {
  const cluster = { name: 'east', ...clusters.east, istio: { ...both, use: '1-30' } };
  const labelled = (kind: string, labels: object, template: (metadata: object) => object) => {
    const metadata = { name: 'x', namespace: 'shop' };
    const object = { apiVersion: 'v1', kind, metadata, spec: template({ labels }) };
    return labelPods(object, cluster)['spec'];
  };
  const template = (metadata: object) => ({ replicas: 1, template: { metadata, spec: {} } });

  test.each(['Deployment', 'StatefulSet', 'DaemonSet'])('of a %s', (kind) => {
    const expected = template({ labels: { app: 'x', 'istio.io/rev': '1-30' } });
    expect(labelled(kind, { app: 'x' }, template)).toEqual(expected);
  });

  test('of a CronJob', () => {
    const jobs = (metadata: object) => ({ jobTemplate: { spec: template(metadata) } });
    expect(labelled('CronJob', {}, jobs)).toEqual(jobs({ labels: { 'istio.io/rev': '1-30' } }));
  });

  test('stay as they are where they want no proxy, name a revision themselves, or belong to a Job', () => {
    for (const labels of [{ 'sidecar.istio.io/inject': 'false' }, { 'istio.io/rev': 'own' }])
      expect(labelled('Deployment', labels, template)).toEqual(template({ labels }));
    expect(labelled('Job', {}, template)).toEqual(template({ labels: {} }));
  });
});

describe('wrong declarations', () => {
  const problems = (istio: unknown, platform: Platform = lab) =>
    withProject({}, (root) => problemsOf(meshWith(root, istio as ClusterIstio, platform)));
  const where = 'demo: clusters.east.istio';

  test('are reported all at once, with the nearest names', () => {
    expect(
      problems({
        revisions: { default: {}, '1.30': { tag: 'a b' }, canary: 'x', '1-30': { hub: 'registry.example/' } },
        use: 'cannary',
        namespaces: { shopp: 'default', stock: '1-3' },
      }),
    ).toEqual([
      `${where}.revisions.1.30: is not a valid revision; received "1.30"; allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end, and at most 56 characters here; fix: write 1-30`,
      `${where}.revisions.1.30.tag: is not an image tag; received "a b"; allowed an image tag: up to 128 letters, digits, dots, hyphens and underscores`,
      `${where}.revisions.canary: is not an object; received "x"; allowed {} for the platform's images, or { tag, hub }`,
      `${where}.revisions.1-30.hub: is not an image registry; received "registry.example/"; allowed a registry and path without a trailing slash, such as registry.example/istio`,
      `${where}.use: no such revision; received "cannary"; allowed default, 1.30, canary, 1-30; fix: did you mean canary?`,
      `${where}.namespaces: no such namespace; received "shopp"; allowed shop, stock, istio-ingress, istio-eastwest; fix: did you mean shop?`,
      `${where}.namespaces.stock: no such revision; received "1-3"; allowed default, 1.30, canary, 1-30; fix: did you mean 1-30?`,
    ]);
  });

  test.each([undefined, null, 'x', {}, { revisions: {} }, { revisions: ['1-30'] }])('%j', (istio) => {
    const allowed =
      "{ revisions: { '1-30': { tag: '1.30.0' } } }, with `default` for the one without a revision";
    const received = JSON.stringify(istio);
    const expected = `${where}: declares no control plane; received ${received}; allowed ${allowed}`;
    expect(problems(istio)).toEqual(istio === undefined ? [] : [expected]);
  });

  test('several control planes of which none is used', () => {
    expect(problems({ revisions: both.revisions })).toEqual([
      `${where}.use: is missing: with several control planes, it says which one pods belong to; allowed default, 1-30`,
    ]);
  });

  test('released images of an Istio that is not supported', () => {
    const old = released({ imageHub: 'registry.example/shop', istioTag: '1.28.4' });
    expect(
      problems(
        { ...both, revisions: { default: {}, next: { tag: '1.32.0' }, last: { tag: 'latest' } } },
        old,
      ),
    ).toEqual([
      'demo: platform.istio.tag: is older than the oldest supported Istio; received "1.28.4"; allowed a tag of Istio 1.29 to 1.31, such as 1.29.2',
      `${where}.revisions.next.tag: is newer than the newest supported Istio; received "1.32.0"; allowed a tag of Istio 1.29 to 1.31, such as 1.29.2`,
      `${where}.revisions.last.tag: is not the tag of an Istio version; received "latest"; allowed a tag of Istio 1.29 to 1.31, such as 1.29.2`,
    ]);
  });
});

test.each([
  ['1.29.0', undefined],
  ['1.31.4-distroless', undefined],
  ['1.31-dev.eed52ebb66ad', undefined],
  ['1.28.9', 'is older than the oldest supported Istio'],
  ['0.8.0', 'is older than the oldest supported Istio'],
  ['1.3.1', 'is older than the oldest supported Istio'],
  ['1.32.0-rc.1', 'is newer than the newest supported Istio'],
  ['1.310.0', 'is newer than the newest supported Istio'],
  ['2.0.0', 'is newer than the newest supported Istio'],
  ['v1.30.0', 'is not the tag of an Istio version'],
  ['latest', 'is not the tag of an Istio version'],
])('the version of tag %s: %s', (tag, expected) => {
  expect(unsupportedIstio(tag)).toBe(expected);
});

test('the newest supported Istio is the pinned one', () => {
  expect(lab.istio.tag).toMatch(new RegExp(`^1\\.${supportedIstio.newest}[.-]`));
});
