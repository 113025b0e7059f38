import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as pulumi from '@pulumi/pulumi';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { declare } from '../../charts/declare.ts';
import { synthesize } from '../../charts/synth.ts';
import { edge, joined, onExisting, shopOnExisting, theirGateways } from '../../charts/testing/existing.ts';
import { keptProject } from '../../charts/testing/project.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { statusOf } from '../testing/controllers.ts';
import { names, namespaceOf, object, OnExisting } from '../testing/existing/on-existing.ts';
import { runInEngine, type Registered, type Run } from '../testing/pulumi-engine.ts';
import { runStack } from './index.ts';
import { resourceName, typeToken } from './kubernetes-resource.ts';
import type { MeshOutputs } from './mesh-component.ts';

const root = keptProject();
const istio = { revision: 'prod' };
const environments = { own: { options: { istio } }, joined: { options: { istio, ...joined } } };
/** A mesh with all that an edge can say, in each of two ways. */
const declaration = declare({
  environments,
  mesh: ({ values }) => {
    const mesh = onExisting(root, values.options);
    edge(shopOnExisting(mesh));
    return mesh;
  },
});
let on: OnExisting;
let trustDir: string;

beforeAll(async () => {
  on = await OnExisting.start((await makeCertificate({ name: 'common' })).certificate);
  trustDir = join(mkdtempSync(join(tmpdir(), 'on-existing-')), 'trust');
});
afterAll(async () => {
  rmSync(join(trustDir, '..'), { recursive: true });
  await on.stop();
});
afterEach(() => {
  pulumi.runtime.setAllConfig({});
});

/** What its owners have to give. */
const sound = { pathNormalization: { normalization: 'MERGE_SLASHES' } };

/** Gives both clusters an Istio of others and a namespace to share. */
function renew(): void {
  on.renew();
  for (const name of names) {
    on.addIstio(name, {
      meshConfig: sound,
    });
    const { namespace, serviceAccount, selector, service } = theirGateways;
    on.store(name, namespaceOf('team-a', { owner: 'team-a' }));
    on.store(name, object('v1', 'ServiceAccount', { name: serviceAccount, namespace }));
    const ports = [{ port: 80 }, { port: 443 }];
    on.store(name, object('v1', 'Service', { name: service, namespace }, { spec: { ports } }));
    const spec = { serviceAccountName: serviceAccount };
    on.store(name, object('v1', 'Pod', { name: 'front-1', namespace, labels: selector }, { spec }));
    const api = on.apis[name];
    api.kinds = { ...api.kinds, 'policy/v1': [['PodDisruptionBudget', true]] };
    // What is of the mesh is ready as soon as it is there.
    api.intervene = ({ method, path }) => {
      const live = method === 'GET' ? api.objects.get(path) : undefined;
      const { labels } = (live?.['metadata'] ?? {}) as KubeObject['metadata'];
      if (live === undefined || labels?.['app.kubernetes.io/part-of'] !== 'demo') return undefined;
      return { status: 200, body: { ...live, status: statusOf(live, name) } };
    };
  }
}

/** What others have in the clusters, as text. */
const theirs = () =>
  names.map((name) =>
    JSON.stringify(
      [...on.apis[name].objects.values()].filter(({ metadata }) => {
        const { labels } = metadata as KubeObject['metadata'];
        return labels?.['app.kubernetes.io/part-of'] !== 'demo';
      }),
    ),
  );

function run(environment: keyof typeof environments): Promise<Run & { readonly result: MeshOutputs }> {
  const clusters = Object.fromEntries(
    names.map((name) => [name, { kubeconfig: on.apis[name].kubeconfig, context: name }]),
  );
  // No istioctl is there.
  const config = { clusters: JSON.stringify(clusters), trustDir, istioctl: '/nowhere/istioctl' };
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`meshwright:${key}`, value])),
  );
  return runInEngine(
    () => runStack(declaration, root, { environment }),
    async (cluster, inputs) => {
      const { client } = on.apis[cluster as (typeof names)[number]];
      await client.apply(inputs as unknown as KubeObject);
      const live = await client.get(inputs as unknown as KubeObject);
      return (live as unknown as Record<string, unknown> | undefined) ?? inputs;
    },
  );
}

describe.each(['own', 'joined'] as const)(
  'the Pulumi program of a mesh on an Istio of others, ingress %s',
  (environment) => {
    const mesh = declaration.mesh({ root, environment });
    const plan = planMesh(mesh.model(), synthesize(mesh));
    let made: Run & { readonly result: MeshOutputs };
    let before: readonly string[];
    const objectsOf = (all: readonly Registered[]) => all.filter(({ type }) => /^kubernetes:.*\//.test(type));
    const urnOf = (cluster: string, one: KubeObject) =>
      made.registered.find(
        ({ type, name }) => type === typeToken(one) && name === `${cluster}/${resourceName(one)}`,
      )?.urn;

    beforeAll(async () => {
      renew();
      before = theirs();
      made = await run(environment);
    });

    test('registers the objects of the plan and nothing else: no control plane, no secret, nothing in namespaces of others', () => {
      const planned = plan.steps.flatMap(({ cluster, objects }) =>
        objects.map((one) => `${typeToken(one)} ${cluster}/${resourceName(one)}`),
      );
      const registered = objectsOf(made.registered);
      expect(registered.map(({ type, name }) => `${type} ${name}`).toSorted()).toEqual(planned.toSorted());
      expect(planned.length).toBeGreaterThan(60);
      expect(planned.join('\n')).not.toMatch(/:Secret |istio-system|edge-system|IstioOperator|cacerts/);
      expect(made.registered.filter((one) => one.protect)).toEqual([]);
    });

    test('writes nothing of others, and makes no trust', () => {
      expect(theirs()).toEqual(before);
      expect(existsSync(trustDir)).toBe(false);
    });

    test('registers each after all that the plan has before it', () => {
      const byUrn = new Map(made.registered.map((one) => [one.urn, one]));
      const before = new Map<string, ReadonlySet<string>>();
      const allBefore = (urn: string): ReadonlySet<string> => {
        const known = before.get(urn);
        if (known !== undefined) return known;
        const found = new Set(
          (byUrn.get(urn)?.dependencies ?? []).flatMap((one) => [one, ...allBefore(one)]),
        );
        before.set(urn, found);
        return found;
      };
      let compared = 0;
      for (const { cluster, objects, after } of plan.steps) {
        const earlier = after.flatMap((one) =>
          plan.steps
            .filter((step) => step.cluster === one.cluster && step.stage === one.stage)
            .flatMap((step) => step.objects.map((each) => urnOf(step.cluster, each))),
        );
        for (const one of objects) {
          const urn = urnOf(cluster, one) ?? '';
          expect([urn, earlier.filter((each) => !allBefore(urn).has(each ?? ''))]).toEqual([urn, []]);
          compared += earlier.length;
        }
      }
      expect(compared).toBeGreaterThan(100);
    });

    test('tells nothing of what belongs to others', () => {
      const ingress = (cluster: string) =>
        environment === 'joined' ? [] : [`demo-ingress.demo-ingress.${cluster}.example:80`];
      const expected = (cluster: string) => ({
        ...{ context: cluster, ingress: ingress(cluster), eastWest: [], trustNotAfter: '' },
      });
      const [component] = made.registered.filter(({ type }) => type === 'meshwright:infra:Mesh');
      expect(made.outputs.get(component?.urn ?? '')).toEqual({
        trustDomain: 'cluster.local',
        clusters: { east: expected('east'), west: expected('west') },
      });
    });
  },
);

test('a difference of the Istio of others is refused before anything is registered', async () => {
  renew();
  on.addIstio('east', { meshConfig: { ...sound, trustDomain: 'corp.example' } });
  const registered: string[] = [];
  const { result } = await runInEngine(
    () => {
      const clusters = Object.fromEntries(
        names.map((name) => [name, { kubeconfig: on.apis[name].kubeconfig, context: name }]),
      );
      pulumi.runtime.setAllConfig({ 'meshwright:clusters': JSON.stringify(clusters) });
      return runStack(declaration, root, { environment: 'own' }).catch((error: unknown) =>
        error instanceof pulumi.RunError ? error.message : error,
      );
    },
    (cluster, inputs) => {
      registered.push(cluster);
      return inputs;
    },
  );
  expect(result).toBe(
    'east: Istio: has another trust domain than the mesh declares: policies would name identities that nobody has, and every call would be refused; received "corp.example"; allowed cluster.local; fix: declare trustDomain: \'corp.example\'',
  );
  expect(registered).toEqual([]);
});
