import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../charts/synth.ts';
import { renderIstioReleases } from '../plan/istio-release.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { describe as name, list, text } from '../kube/kube-object.ts';
import { resourceName, typeToken } from './kubernetes-resource.ts';
import { planMesh } from '../plan/plan.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import { playControllers } from '../testing/controllers.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { meshes, writeIstioctl } from '../testing/meshes.ts';
import { plaintext } from '../testing/pulumi-engine.ts';
import type { Registered, Run } from '../testing/pulumi-engine.ts';
import { runOnServers } from '../testing/run-on-servers.ts';
import { waves } from '../kube/waves.ts';

const types = {
  mesh: 'meshwright:infra:Mesh',
  cluster: 'meshwright:infra:Cluster',
  stage: 'meshwright:infra:Stage',
  provider: 'pulumi:providers:kubernetes',
  secret: 'kubernetes:core/v1:Secret',
};

describe.each(meshes)('the Pulumi program, for %s clusters', (size, declare) => {
  let folder: string;
  let apis: Readonly<Record<string, KubeApi>>;
  let plan: Plan;
  let run: Run & { readonly result: unknown };
  let release: readonly KubeObject[];
  const lines: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'program-'));
    const mesh = declare();
    plan = planMesh(mesh.model(), synthesize(mesh));
    apis = Object.fromEntries(
      await Promise.all(
        plan.clusters.map(async (cluster) => [cluster, await KubeApi.start(cluster)] as const),
      ),
    );
    for (const [cluster, api] of Object.entries(apis)) playControllers(api, cluster);
    const istioctl = writeIstioctl(folder);
    const config: Record<string, string> = {
      clusters: JSON.stringify(
        Object.fromEntries(
          plan.clusters.map((cluster) => [
            cluster,
            { kubeconfig: apis[cluster]?.kubeconfig, context: cluster },
          ]),
        ),
      ),
      istioctl,
      trustDir: join(folder, 'trust'),
    };
    const operators = plan.steps.find(({ releases }) => releases.length > 0)!.releases;
    release = await renderIstioReleases(istioctl, operators, plan.mesh);
    run = await runOnServers(mesh, {
      apis: new Map(Object.entries(apis)),
      config,
      report: (line) => lines.push(line),
    });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all(Object.values(apis).map((api) => api.stop()));
  });

  const of = (type: string) => run.registered.filter((resource) => resource.type === type);
  const find = (cluster: string, object: KubeObject): Registered => {
    const found = run.registered.filter(
      (one) => one.type === typeToken(object) && one.name === `${cluster}/${resourceName(object)}`,
    );
    expect([name(object), found.length]).toEqual([name(object), 1]);
    return found[0]!;
  };
  const secretsOf = (step: PlanStep): readonly KubeObject[] =>
    step.secrets.map((secret) => ({
      apiVersion: 'v1',
      kind: secret.kind === 'trust-anchors' ? 'ConfigMap' : 'Secret',
      metadata: { name: secret.name, namespace: secret.namespace },
    }));
  const releaseOf = (step: PlanStep) => (step.releases.length === 0 ? [] : release);

  test('nests a component for the mesh, its clusters and their stages, each under its parent', () => {
    const urn = (type: string, wanted: string) => of(type).find((one) => one.name === wanted)?.urn;
    expect(of(types.mesh).map((one) => [one.name, one.parent])).toEqual([
      // Nothing above it but the stack.
      [plan.mesh, ''],
    ]);
    expect(of(types.cluster).map((one) => [one.name, one.parent])).toEqual(
      plan.clusters.map((cluster) => [cluster, urn(types.mesh, plan.mesh)]),
    );
    expect(new Map(of(types.stage).map((one) => [one.name, one.parent]))).toEqual(
      new Map(plan.steps.map(({ cluster, stage }) => [`${cluster}/${stage}`, urn(types.cluster, cluster)])),
    );
  });

  test('has an explicit provider per cluster that adopts what is there and replaces nothing for a moved kubeconfig', () => {
    const clusterOf = (one: Registered) => of(types.cluster).find(({ urn }) => urn === one.parent)?.name;
    expect(of(types.provider).map((one) => [one.name, clusterOf(one), one.inputs])).toEqual(
      plan.clusters.map((cluster) => [
        cluster,
        cluster,
        {
          kubeconfig: apis[cluster]?.kubeconfig,
          context: cluster,
          clusterIdentifier: `${plan.mesh}/${cluster}`,
          enableServerSideApply: 'true',
          enablePatchForce: 'true',
          upsertExistingObjects: 'true',
          enableSecretMutable: 'true',
          enableConfigMapMutable: 'true',
        },
      ]),
    );
  });

  test('registers each resource under the URN that it has in the state of a mesh made before', () => {
    const file = new URL(`__golden__/urns-of-${size}-clusters.txt`, import.meta.url);
    const before = readFileSync(file, 'utf8').trim().split('\n');
    const now = new Set(run.registered.map(({ urn }) => urn));
    expect(before.length).toBeGreaterThan(60);
    expect(before.filter((urn) => !now.has(urn))).toEqual([]);
  });

  test("gives every resource its cluster's provider, and leaves none to a default one", () => {
    const objects = run.registered.filter(({ type }) => type.startsWith('kubernetes:'));
    expect(objects.length).toBeGreaterThan(plan.clusters.length * release.length);
    for (const one of objects) {
      const [cluster = ''] = one.name.split('/');
      const provider = of(types.provider).find((made) => made.name === cluster);
      expect([one.name, one.provider]).toEqual([one.name, `${provider?.urn ?? ''}::${cluster}-id`]);
    }
    const others = run.registered.filter((one) => one.custom && !objects.includes(one));
    expect(new Set(others.map(({ type }) => type))).toEqual(new Set([types.provider]));
  });

  test('declares under each stage the objects that the apply driver applies, with their fields unchanged, and no others', () => {
    for (const step of plan.steps) {
      const stage = of(types.stage).find((one) => one.name === `${step.cluster}/${step.stage}`);
      const planned = [...secretsOf(step), ...releaseOf(step), ...step.objects];
      expect(
        run.registered
          .filter(({ parent }) => parent === stage?.urn)
          .map((one) => one.urn)
          .toSorted(),
      ).toEqual(planned.map((object) => find(step.cluster, object).urn).toSorted());
      for (const object of [...releaseOf(step), ...step.objects])
        expect(find(step.cluster, object).inputs).toEqual(JSON.parse(JSON.stringify(object)));
    }
  });

  test('gives every resource a name of its own that says nothing of its stage', () => {
    const urns = run.registered.map(({ urn }) => urn);
    expect(new Set(urns).size).toBe(urns.length);
    const metadata = { name: 'catalog', namespace: 'shop' };
    for (const cluster of plan.clusters) {
      const { name: made, type } = find(cluster, { apiVersion: 'apps/v1', kind: 'Deployment', metadata });
      expect([made, type]).toEqual([`${cluster}/shop/catalog`, 'kubernetes:apps/v1:Deployment']);
    }
  });

  test('finds stages and providers where they were before the components were nested', () => {
    const moved = run.registered.filter((one) => one.fromTheRoot).map((one) => one.urn);
    expect(moved.toSorted()).toEqual(
      [...of(types.stage), ...of(types.provider)].map(({ urn }) => urn).toSorted(),
    );
  });

  test('orders as planned: secrets, release, objects, each in waves, after all of the stages that are waited for', () => {
    for (const step of plan.steps) {
      const groups = [
        ...secretsOf(step).map((secret) => [secret]),
        ...waves(releaseOf(step)),
        ...waves(step.objects),
      ].map((group) => group.map((object) => find(step.cluster, object).urn));
      const stagesBefore = step.after.map(
        ({ cluster, stage }) => of(types.stage).find((one) => one.name === `${cluster}/${stage}`)?.urn,
      );
      let expected = run.registered
        .filter(({ parent }) => stagesBefore.includes(parent))
        .map(({ urn }) => urn);
      for (const group of groups) {
        for (const urn of group) {
          const one = run.registered.find((resource) => resource.urn === urn);
          expect([urn, one?.dependencies.toSorted()]).toEqual([urn, expected.toSorted()]);
        }
        expected = group;
      }
    }
  });

  test('has a Deployment come after the ConfigMaps that its pods mount, under the same stage', () => {
    for (const { cluster, objects } of plan.steps)
      for (const deployment of objects.filter(({ kind }) => kind === 'Deployment'))
        for (const volume of list(deployment, 'spec', 'template', 'spec', 'volumes')) {
          const mounted = text(volume, 'configMap', 'name');
          if (mounted === undefined) continue;
          const { namespace } = deployment.metadata;
          const metadata = { name: mounted, ...(namespace !== undefined && { namespace }) };
          const map = find(cluster, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
          const pods = find(cluster, deployment);
          expect([map.urn, map.parent]).toEqual([map.urn, pods.parent]);
          const before = new Set(pods.dependencies);
          for (const urn of before)
            for (const earlier of run.registered.find((one) => one.urn === urn)?.dependencies ?? [])
              before.add(earlier);
          expect([pods.urn, before.has(map.urn)]).toEqual([pods.urn, true]);
        }
  });

  test('lets no value come from another resource: the replacement of one never replaces another', () => {
    for (const one of run.registered) expect([one.urn, one.propertyDependencies]).toEqual([one.urn, {}]);
  });

  test('marks what Secrets hold as secret, and says none of it in plaintext anywhere', () => {
    const secrets = of(types.secret);
    expect(secrets.map(({ name: made }) => made).toSorted()).toEqual(
      plan.steps
        .flatMap((step) =>
          secretsOf(step).flatMap((one) =>
            one.kind === 'Secret' ? [`${step.cluster}/${resourceName(one)}`] : [],
          ),
        )
        .toSorted(),
    );
    const said = JSON.stringify([
      run.registered.map((one) => ({ ...one, inputs: undefined, wire: plaintext(one.wire) })),
      [...run.outputs.values()],
      run.result,
      lines,
    ]);
    for (const { name: made, wire, inputs, secretOutputs } of secrets) {
      expect([made, plaintext(wire['data'])]).toEqual([made, '[secret]']);
      expect(secretOutputs).toEqual(['data', 'stringData']);
      const held = Object.entries(inputs['data'] as Record<string, string>);
      expect(held.length).toBeGreaterThan(0);
      for (const [key, value] of held) {
        const text = Buffer.from(value, 'base64').toString('utf8');
        const token = /token: (\S+)/.exec(text)?.[1];
        // Certificates are public; all of the rest is looked for as it is and as it is sent.
        const hidden = [value, token, ...(key.endsWith('key.pem') ? text.split('\n').slice(1, -2) : [])];
        for (const secret of hidden.filter((it) => it !== undefined)) {
          expect(secret.length).toBeGreaterThan(20);
          expect([key, said.includes(secret)]).toEqual([key, false]);
        }
      }
    }
    expect(said).not.toContain('PRIVATE KEY');
  });

  test('protects the CAs, and nothing else', () => {
    const guarded = run.registered.filter((one) => one.protect).map((one) => one.name);
    expect(guarded.toSorted()).toEqual(
      plan.clusters.map((cluster) => `${cluster}/istio-system/cacerts`).toSorted(),
    );
  });

  test('opens each cluster to each other one with a token that ends', () => {
    const pairs = plan.clusters.flatMap((to) =>
      plan.clusters.filter((from) => from !== to).map((from) => [to, from] as const),
    );
    for (const [to, from] of pairs) {
      const secret = of(types.secret).find(
        (one) => one.name === `${to}/istio-system/istio-remote-secret-${from}`,
      );
      const data = secret?.inputs['data'] as Record<string, string>;
      const kubeconfig = Buffer.from(data[from] ?? '', 'base64').toString('utf8');
      expect(kubeconfig).toContain(`server: ${apis[from]?.client.server ?? ''}`);
      const claims = /token: e30\.([^.]+)\./.exec(kubeconfig)?.[1] ?? '';
      expect(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))).toHaveProperty('exp');
    }
  });

  test('leaves to istiod and to autoscalers what they set', () => {
    const ignored = run.registered.filter(({ ignoreChanges }) => ignoreChanges.length > 0);
    expect(new Map(ignored.map((one) => [one.name, one.ignoreChanges]))).toEqual(
      new Map(
        plan.clusters.flatMap((cluster) => [
          [`${cluster}/istio-system/istiod`, ['spec.replicas']],
          [`${cluster}/istio-validator`, ['webhooks[*].clientConfig.caBundle', 'webhooks[*].failurePolicy']],
          [`${cluster}/istio-sidecar-injector`, ['webhooks[*].clientConfig.caBundle']],
        ]),
      ),
    );
  });

  test('replaces only the Services of gateways between networks, when their type changes', () => {
    const replaced = run.registered.filter((one) => one.replaceOnChanges.length > 0);
    expect(Object.fromEntries(replaced.map((one) => [one.name, one.replaceOnChanges]))).toEqual(
      Object.fromEntries(
        plan.clusters.map((cluster) => [`${cluster}/istio-eastwest/istio-eastwestgateway`, ['spec.type']]),
      ),
    );
  });

  test('says at its end, and in every component, where the clusters are reached and until when they are trusted', () => {
    const expected = Object.fromEntries(
      plan.clusters.map((cluster) => [
        cluster,
        {
          context: cluster,
          ingress: [expect.stringMatching(new RegExp(`^istio-ingress.*\\.${cluster}\\.example:80$`))],
          eastWest: [expect.stringMatching(new RegExp(`^istio-eastwest.*\\.${cluster}\\.example:15443$`))],
          trustNotAfter: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        },
      ]),
    );
    const outputsOf = (type: string) => of(type).map(({ urn }) => run.outputs.get(urn));
    expect(outputsOf(types.mesh)).toEqual([{ trustDomain: expect.any(String), clusters: expected }]);
    expect(outputsOf(types.cluster)).toEqual(plan.clusters.map((cluster) => expected[cluster]));
    expect(outputsOf(types.stage)).toEqual(plan.steps.map(() => ({})));
  });
});
