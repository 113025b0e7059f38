import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../charts/synth.ts';
import { applyPlan } from '../apply/apply.ts';
import { describe as nameOf, field, manager } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { parseConfig } from '../plan/stack-config.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import { playControllers } from '../testing/controllers.ts';
import { quickLimits } from '../testing/limits.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { meshes, root as project, writeIstioctl } from '../testing/meshes.ts';
import { runOnServers } from '../testing/run-on-servers.ts';

const clusters = ['east', 'west'];
const declare = meshes[0]![1];
/** From one root to the next, and another intermediate of that. */
const states: readonly TrustSettings[] = [
  { generation: 2, phase: 'add-root', intermediate: 1 },
  { generation: 2, phase: 're-issue', intermediate: 1 },
  { generation: 2, phase: 'drop-root', intermediate: 1 },
  { generation: 2, intermediate: 2 },
];

/** What a driver wrote that differs from what was there, and each look at an istiod that is not ready yet, in order. */
interface World {
  readonly seen: string[];
  /** Brings the mesh to a state, or with `preview` only says what would be done. */
  readonly bring: (trust: TrustSettings, preview?: boolean) => Promise<unknown>;
}

async function world(driver: 'apply' | 'pulumi', folder: string, apis: Map<string, KubeApi>): Promise<World> {
  const seen: string[] = [];
  const access: Record<string, { kubeconfig: string; context: string }> = {};
  for (const cluster of clusters) {
    const api = await KubeApi.start(cluster);
    playControllers(api, cluster);
    const play = api.intervene;
    /** An istiod that was changed is rolled out at the third look. */
    let looks = 3;
    api.intervene = (request) => {
      const { method, path, query } = request;
      const isIstiod = path.endsWith('/deployments/istiod');
      if (query['fieldManager'] === manager && query['force'] === 'true' && query['dryRun'] === undefined) {
        const wanted = request.body as Record<string, unknown>;
        const live = api.objects.get(path);
        const same = Object.entries(wanted).every(
          ([key, value]) => key === 'metadata' || JSON.stringify(live?.[key]) === JSON.stringify(value),
        );
        // The mesh's id is not in what is rendered.
        const labels = (object: unknown) =>
          JSON.stringify(
            Object.entries(field(object, 'metadata', 'annotations') ?? {}).filter(
              ([key]) => key !== 'meshwright/mesh-id',
            ),
          );
        if (live === undefined || !same || labels(live) !== labels(wanted)) {
          seen.push(`${cluster}: ${nameOf(wanted as unknown as KubeObject)}`);
          if (isIstiod) looks = 0;
        }
      }
      const answer = play(request);
      if (!isIstiod || method !== 'GET' || looks >= 3 || answer === undefined) return answer;
      looks++;
      seen.push(`${cluster}: istiod ${looks === 3 ? 'ready' : 'not ready'}`);
      const status = looks === 3 ? {} : { status: { replicas: 2, updatedReplicas: 1, availableReplicas: 1 } };
      return { ...answer, body: { ...(answer.body as object), ...status } };
    };
    apis.set(cluster, api);
    access[cluster] = { kubeconfig: api.kubeconfig, context: cluster };
  }
  const istioctl = writeIstioctl(folder, asIstiod);
  const trustDir = join(folder, driver);
  const bring = async (trust: TrustSettings, preview = false) => {
    seen.length = 0;
    if (driver === 'apply') {
      const mesh = declare();
      const config = parseConfig({ clusters: access, istioctl, trustDir, trust }, project, 'test');
      const options = { ...config, report: () => undefined, limits: quickLimits };
      return applyPlan(planMesh(mesh.model(), synthesize(mesh)), options);
    }
    const config: Record<string, string> = {
      clusters: JSON.stringify(access),
      istioctl,
      trustDir,
      trust: JSON.stringify(trust),
    };
    const { registered } = await runOnServers(declare(), { apis, config, preview });
    return new Map(
      registered.map(({ urn, name, inputs }) => [urn, { name, inputs: JSON.stringify(inputs) }]),
    );
  };
  return { seen, bring };
}

/** The Deployment as Istio's charts render it, as far as it is told by that. */
function asIstiod(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment') return object;
  const metadata = { ...object.metadata, labels: { app: 'istiod' } };
  const spec = { ...(object['spec'] as object), template: { metadata: {} } };
  return { ...object, metadata, spec };
}

describe.each(['apply', 'pulumi'] as const)('a rotation by the driver %s', (driver) => {
  let folder: string;
  const apis = new Map<string, KubeApi>();
  let made: World;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rotation-'));
    made = await world(driver, folder, apis);
    await made.bring({ generation: 1, intermediate: 1 });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([...apis.values()].map((api) => api.stop()));
  });

  test.each(states)(
    '%j changes the CA, then rolls istiod out, then tells the proxies of all clusters',
    async (trust) => {
      await made.bring(trust);
      const { seen } = made;
      const writes = seen.filter((one) => !one.includes(': istiod '));
      expect(writes.toSorted()).toEqual(
        clusters.flatMap((cluster) => [
          `${cluster}: ConfigMap istio-system/meshwright-trust`,
          `${cluster}: Deployment istio-system/istiod`,
          `${cluster}: Secret istio-system/cacerts`,
        ]),
      );
      const at = (cluster: string, what: string) => seen.indexOf(`${cluster}: ${what}`);
      for (const cluster of clusters) {
        expect(at(cluster, 'Deployment istio-system/istiod')).toBeGreaterThan(
          at(cluster, 'Secret istio-system/cacerts'),
        );
        expect(at(cluster, 'istiod ready')).toBeGreaterThan(at(cluster, 'Deployment istio-system/istiod'));
        // A proxy that asks for a certificate now gets one of the new CA, whichever istiod it asks.
        for (const other of clusters)
          expect(at(cluster, 'ConfigMap istio-system/meshwright-trust')).toBeGreaterThan(
            at(other, 'istiod ready'),
          );
      }
    },
  );

  test('a state that is there already changes nothing', async () => {
    await made.bring(states.at(-1)!);
    expect(made.seen).toEqual([]);
  });
});

describe('a phase under Pulumi', () => {
  let folder: string;
  const apis = new Map<string, KubeApi>();
  let made: World;
  type Resources = ReadonlyMap<string, { readonly name: string; readonly inputs: string }>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rotation-'));
    made = await world('pulumi', folder, apis);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([...apis.values()].map((api) => api.stop()));
  });

  test('is the update of three resources in each cluster, the same in its preview, and no other is made, replaced or deleted', async () => {
    const before = (await made.bring({ generation: 1, intermediate: 1 })) as Resources;
    const changed = (now: Resources) =>
      [...now]
        .flatMap(([urn, { name, inputs }]) => (before.get(urn)?.inputs === inputs ? [] : [name]))
        .toSorted();
    const expected = clusters.flatMap((cluster) =>
      ['cacerts', 'istiod', 'meshwright-trust'].map((name) => `${cluster}/istio-system/${name}`),
    );
    const preview = (await made.bring(states[0]!, true)) as Resources;
    expect(made.seen).toEqual([]);
    expect(changed(preview)).toEqual(expected);
    expect([...preview.keys()].toSorted()).toEqual([...before.keys()].toSorted());
    const after = (await made.bring(states[0]!)) as Resources;
    expect(changed(after)).toEqual(expected);
    expect([...after.keys()].toSorted()).toEqual([...before.keys()].toSorted());
    // Three runs of the engine: longer than jest's own limit where much else runs.
  }, 300_000);
});
