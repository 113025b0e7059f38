import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { reservedNamespaces } from './constructs/scope/names.ts';
import { stages } from './model/stage.ts';
import { synthesize, type RenderedStage } from './synth.ts';
import { objectsOf } from './testing/mesh.ts';
import { keptProject } from './testing/project.ts';
import { shopInTwo } from './testing/shop.ts';

const root = keptProject();

/** What has to be the same in all clusters: everything of the mesh as a whole and what callers lean on. */
function sharedPart(rendered: readonly RenderedStage[], cluster: string): string {
  const shared = rendered.filter(
    (stage) => stage.cluster === cluster && ['30-mesh', '40-services', '60-traffic'].includes(stage.stage),
  );
  const namespaces = objectsOf(rendered, cluster).filter(
    ({ kind, metadata }) => kind === 'Namespace' && !reservedNamespaces.includes(metadata.name),
  );
  return JSON.stringify([shared.map(({ yaml }) => yaml), namespaces]);
}

describe('the shop', () => {
  const mesh = shopInTwo(root);
  const [model, rendered] = [mesh.model(), synthesize(mesh)];

  test('renders every stage of both clusters, in order', () => {
    expect(rendered.map(({ path }) => path)).toEqual(
      ['east', 'west'].flatMap((cluster) =>
        stages.filter((stage) => stage !== '70-jobs').map((stage) => `${cluster}/${stage}.k8s.yaml`),
      ),
    );
  });

  test('is rendered to the same bytes each time', () => {
    expect(synthesize(shopInTwo(root)).map(({ yaml }) => yaml)).toEqual(rendered.map(({ yaml }) => yaml));
  });

  test('is the same in both clusters but for what belongs to one of them', () => {
    expect(sharedPart(rendered, 'east')).toBe(sharedPart(rendered, 'west'));
  });

  test('runs each workload in its placement only', () => {
    const running = (cluster: string) =>
      objectsOf(rendered, cluster, 'shop')
        .filter(({ kind }) => kind === 'Deployment')
        .map(({ metadata }) => metadata.name);
    const placements = Object.fromEntries(model.workloads.map(({ name, placement }) => [name, placement]));
    expect(placements).toEqual({
      catalog: ['east', 'west'],
      edge: ['east', 'west'],
      inventory: ['west'],
      orders: ['east'],
    });
    for (const cluster of ['east', 'west']) {
      const placed = model.workloads
        .flatMap(({ deployments }) => deployments)
        .filter(({ placement }) => placement.some((each) => each === cluster));
      expect(running(cluster)).toEqual(placed.map(({ name }) => name).sort());
    }
  });

  test('uses the images of the model, all of them by tag and digest', () => {
    const declared = model.images.map(({ reference }) => reference);
    for (const reference of declared)
      expect(reference).toMatch(/:\d+\.\d+\.\d+-[0-9a-f]{12}@sha256:[0-9a-f]{64}$/);
    // The images of versions are whatever the declaration says, and not the model's.
    const versioned = model.workloads.flatMap(({ name, deployments }) =>
      deployments.flatMap((deployment) => (deployment.name === name ? [] : [deployment.name])),
    );
    const images = rendered
      .flatMap(({ objects }) => objects)
      .filter(({ kind, metadata }) => kind !== 'Deployment' || !versioned.includes(metadata.name))
      .flatMap((object) =>
        [...JSON.stringify(object).matchAll(/"image":"([^"]+)"/g)].map(([, image]) => image),
      );
    const used = new Set(images);
    used.delete('auto'); // the gateways' proxies, which istiod puts in
    expect(declared).toEqual(expect.arrayContaining([...used]));
    for (const app of ['catalog', 'gateway', 'inventory', 'orders']) {
      const { reference } = model.images.find((image) => image.app === `apps/${app}`)!;
      expect([...used]).toContain(reference);
    }
  });

  test('reads back from YAML as the objects it was rendered from', () => {
    for (const { yaml, objects } of rendered) {
      expect(parseAllDocuments(yaml).map((document) => document.toJS() as unknown)).toEqual(objects);
    }
  });
});
