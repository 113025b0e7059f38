import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../charts/synth.ts';
import { applyPlan } from './apply.ts';
import { planMesh, type Plan } from '../plan/plan.ts';
import { removeMesh } from './remove.ts';
import { parseConfig } from '../plan/stack-config.ts';
import { playControllers } from '../testing/controllers.ts';
import { quickLimits } from '../testing/limits.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { meshes, writeIstioctl } from '../testing/meshes.ts';

const mesh = meshes[0]![1]();
const model = mesh.model();
const clusters = model.clusters.map(({ name }) => name);

/** The sample's plan with one object of each kind in a stage: every step there is, in little time. */
const plan: Plan = (() => {
  const whole = planMesh(model, synthesize(mesh));
  const steps = whole.steps.map((step) => {
    const objects = step.objects.filter(
      ({ kind }, index) =>
        kind === 'Namespace' || step.objects.findIndex((other) => other.kind === kind) === index,
    );
    return { ...step, objects, ready: step.ready.filter(({ object }) => objects.includes(object)) };
  });
  return { ...whole, steps };
})();

let folder: string;
let apis: readonly KubeApi[];
let config: ReturnType<typeof parseConfig>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'interruption-'));
  apis = await Promise.all(clusters.map((name) => KubeApi.start(name)));
  for (const [index, api] of apis.entries()) playControllers(api, clusters[index]!);
  const access = Object.fromEntries(
    apis.map(({ kubeconfig }, index) => [clusters[index]!, { kubeconfig, context: clusters[index]! }]),
  );
  config = parseConfig(
    { clusters: access, istioctl: writeIstioctl(folder), trustDir: 'trust' },
    folder,
    'test',
  );
});
afterEach(async () => {
  await Promise.all(apis.map((api) => api.stop()));
  rmSync(folder, { recursive: true });
});

const report = () => undefined;
const up = (signal = new AbortController().signal) =>
  applyPlan(plan, { ...config, identity: { id: 'the same' }, report, signal, limits: quickLimits });
const down = (signal = new AbortController().signal) => removeMesh(model, { ...config, report, signal });

/** What the clusters hold, without what is another each time: identities of objects, versions, and the tokens they bear. */
function held(): Record<string, unknown> {
  return Object.fromEntries(
    apis.flatMap((api, index) =>
      [...api.objects]
        // The scale of a Deployment is no object of its own.
        .filter(([path]) => !path.endsWith('/scale'))
        .map(([path, object]) => {
          const { uid, resourceVersion, ownerReferences, ...metadata } = object['metadata'] as Record<
            string,
            unknown
          >;
          // What a token is bound to, which has a name and an owner of its own each time.
          if (ownerReferences !== undefined) metadata['name'] = unnamed(String(metadata['name']));
          expect([typeof uid, typeof resourceVersion]).toEqual(['string', 'string']);
          const content = path.includes('/istio-remote-secret-') ? { ...object, data: undefined } : object;
          return [`${clusters[index]!} ${unnamed(path)}`, { ...content, metadata }];
        }),
    ),
  );
}

/** The name without its random end. */
function unnamed(name: string): string {
  return name.replace(/(istio-remote-reader-.*)-[0-9a-f]{8}$/, '$1');
}

/**
 * Runs until the clusters have carried out a number of writes, and stops there as a process that is killed does: what
 * was on its way may still arrive, nothing else is sent.
 * @returns whether it got that far.
 */
async function interruptedAfter(
  writes: number,
  run: (signal: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  const killed = new AbortController();
  let seen = 0;
  const before = apis.map((api) => api.intervene);
  for (const [index, api] of apis.entries()) {
    api.intervene = (request) => {
      if (['PATCH', 'DELETE'].includes(request.method) && ++seen === writes)
        setImmediate(() => {
          killed.abort();
        });
      return before[index]!(request);
    };
  }
  const ended = await run(killed.signal).then(
    () => true,
    (error: unknown) => {
      if (!killed.signal.aborted) throw error;
      return false;
    },
  );
  for (const [index, api] of apis.entries()) api.intervene = before[index]!;
  return !ended;
}

/** Every so many writes: in each stage at least once. A prime, so that runs of one wave's length are met in their midst. */
const stride = 11;

describe('interrupted after so many writes', () => {
  test('an apply is completed by the next one, and taken away by a removal', async () => {
    await up();
    const whole = held();
    await down();
    expect(held()).toEqual({});
    let writes = 1;
    for (; await interruptedAfter(writes, up); writes += stride) {
      await down();
      expect({ writes, held: held() }).toEqual({ writes, held: {} });
      await interruptedAfter(writes, up);
      await up();
      expect({ writes, held: held() }).toEqual({ writes, held: whole });
      await down();
    }
    // Else not all of it was interrupted.
    expect(writes).toBeGreaterThanOrEqual(Object.keys(whole).length);
  }, 300_000);

  test('a removal is completed by the next one, and taken back by an apply', async () => {
    await up();
    const whole = held();
    let writes = 1;
    for (; await interruptedAfter(writes, down); writes += stride) {
      await up();
      expect({ writes, held: held() }).toEqual({ writes, held: whole });
      await interruptedAfter(writes, down);
      await down();
      expect({ writes, held: held() }).toEqual({ writes, held: {} });
      await up();
    }
    expect(writes).toBeGreaterThanOrEqual(Object.keys(whole).length);
  }, 300_000);
});
