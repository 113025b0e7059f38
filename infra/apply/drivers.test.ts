import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remoteReader } from '../../charts/constructs/scope/names.ts';
import { synthesize } from '../../charts/synth.ts';
import { applyPlan } from './apply.ts';
import { describe as nameOf, manager } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import { parseConfig } from '../plan/stack-config.ts';
import { playControllers } from '../testing/controllers.ts';
import { quickLimits } from '../testing/limits.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { meshes, root, writeIstioctl } from '../testing/meshes.ts';
import type { Registered } from '../testing/pulumi-engine.ts';
import { runOnServers } from '../testing/run-on-servers.ts';

/** An object as one of the drivers sent it. */
interface Sent {
  readonly cluster: string;
  readonly object: KubeObject;
}
const keyOf = ({ cluster, object }: Sent) => `${cluster}: ${object.apiVersion} ${nameOf(object)}`;
/** Tokens are granted anew to each run. */
const comparable = ({ object }: Sent): unknown =>
  object.metadata.name.startsWith('istio-remote-secret-') ? { ...object, data: 'a kubeconfig' } : object;

/** What a token is bound to is made with it, by either driver when the token is granted: no object of the plan. */
const isBinding = ({ kind, metadata }: KubeObject) =>
  kind === 'Secret' && metadata.name.startsWith(`${remoteReader}-`);

describe.each(meshes)('both drivers, for %s clusters', (_, declare) => {
  let folder: string;
  let plan: Plan;
  const applied: Sent[] = [];
  let registered: readonly Registered[];
  let declared: readonly Sent[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'drivers-'));
    const mesh = declare();
    plan = planMesh(mesh.model(), synthesize(mesh));
    const istioctl = writeIstioctl(folder);
    const trustDir = join(folder, 'trust');

    const clusters = async (seen?: Sent[]) => {
      const apis = new Map<string, KubeApi>();
      for (const cluster of plan.clusters) {
        const api = await KubeApi.start(cluster);
        playControllers(api, cluster);
        const play = api.intervene;
        api.intervene = (request) => {
          const ours = request.query['fieldManager'] === manager && request.query['force'] === 'true';
          const object = request.body as KubeObject;
          if (ours && !isBinding(object)) seen?.push({ cluster, object });
          return play(request);
        };
        apis.set(cluster, api);
      }
      const access = Object.fromEntries(
        [...apis].map(([cluster, { kubeconfig }]) => [cluster, { kubeconfig, context: cluster }]),
      );
      return { apis, access };
    };

    const one = await clusters(applied);
    await applyPlan(plan, {
      ...parseConfig({ clusters: one.access, istioctl, trustDir }, root, 'test'),
      report: () => undefined,
      limits: quickLimits,
    });

    const other = await clusters();
    const config: Record<string, string> = { clusters: JSON.stringify(other.access), istioctl, trustDir };
    const run = await runOnServers(mesh, { apis: other.apis, config });
    registered = run.registered.filter(({ type }) => type.startsWith('kubernetes:'));
    declared = registered.map(({ name, inputs }) => ({
      cluster: name.split('/')[0] ?? '',
      object: inputs as unknown as KubeObject,
    }));
    for (const api of [...one.apis.values(), ...other.apis.values()]) await api.stop();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('send the same objects, each once', () => {
    const byKey = (sent: readonly Sent[]) =>
      Object.fromEntries(sent.map((one) => [keyOf(one), comparable(one)]));
    expect(Object.keys(byKey(applied))).toHaveLength(applied.length);
    expect(applied.length).toBeGreaterThan(plan.clusters.length * 20);
    expect(byKey(declared)).toEqual(byKey(applied));
  });

  /**
   * Objects of a cluster in Pulumi's order: a level holds what waits for the level before it, and is sent side by side. The
   * apply driver has to have sent one whole level after the other, in whatever order within.
   */
  test('send them in the same order: in each cluster wave by wave', () => {
    for (const cluster of plan.clusters) {
      const own = registered.filter(({ name }) => name.startsWith(`${cluster}/`));
      const levels = new Map<string, number>();
      const levelOf = (one: Registered): number => {
        const known = levels.get(one.urn);
        if (known !== undefined) return known;
        const before = own.filter(({ urn }) => one.dependencies.includes(urn));
        const level = Math.max(-1, ...before.map(levelOf)) + 1;
        levels.set(one.urn, level);
        return level;
      };
      const inLevels: string[][] = [];
      for (const one of own) {
        const level = levelOf(one);
        (inLevels[level] ??= []).push(keyOf({ cluster, object: one.inputs as unknown as KubeObject }));
      }
      const order = applied.filter((one) => one.cluster === cluster).map(keyOf);
      expect(inLevels.length).toBeGreaterThan(10);
      let start = 0;
      for (const level of inLevels) {
        expect(order.slice(start, start + level.length).toSorted()).toEqual(level.toSorted());
        start += level.length;
      }
      expect(start).toBe(order.length);
    }
  });

  test('wait alike for other clusters: what Pulumi sends after an object, the apply driver sent after it', () => {
    const order = new Map(applied.map((one, index) => [keyOf(one), index]));
    const indexOf = new Map(
      registered.map((one, index) => [one.urn, order.get(keyOf(declared[index]!)) ?? Number.NaN]),
    );
    let across = 0;
    for (const one of registered) {
      for (const dependency of one.dependencies) {
        const [before, after] = [indexOf.get(dependency), indexOf.get(one.urn)];
        if (before === undefined || after === undefined) throw new Error(`${one.urn} waits for a stranger`);
        expect([one.urn, dependency, before < after]).toEqual([one.urn, dependency, true]);
        if (dependency.split('::').at(-1)?.split('/')[0] !== one.name.split('/')[0]) across++;
      }
    }
    expect(across).toBeGreaterThan(0);
  });
});
