import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remoteReader } from '../../charts/constructs/scope/names.ts';
import { stages } from '../../charts/model/stage.ts';
import type { RenderedStage } from '../../charts/synth.ts';
import { applyPlan } from './apply.ts';
import { labelManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Limits } from '../plan/limits.ts';
import { planMesh } from '../plan/plan.ts';
import { parseConfig } from '../plan/stack-config.ts';
import { addControlPlane } from '../testing/control-plane.ts';
import type { ControlPlane } from '../testing/control-plane.ts';
import { addGateway, tryFrom } from '../testing/gateway.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { quickLimits } from '../testing/limits.ts';
import { modelOf } from '../testing/models.ts';
import { problemOf } from '../testing/problems.ts';

const clusters = ['east', 'west'];
let folder: string;
let apis: Record<string, KubeApi>;
let planes: Record<string, ControlPlane>;
let istioctl: string;
let lines: string[];
/** What each apply found when it had compared. */
let changesNothing: boolean[];

/** Stands for istioctl: a release of istiod's configuration. */
const release = `#!/bin/sh
cat <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
EOF
`;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'apply-'));
  istioctl = join(folder, 'istioctl');
  writeFileSync(istioctl, release);
  chmodSync(istioctl, 0o755);
  lines = [];
  changesNothing = [];
  apis = {};
  planes = {};
  for (const cluster of clusters) {
    const api = await KubeApi.start(cluster);
    apis[cluster] = api;
    planes[cluster] = addControlPlane(api);
    addGateway(api, [{ ip: '192.0.2.1' }]);
  }
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all(Object.values(apis).map((api) => api.stop()));
});

const configMap = (name: string): KubeObject =>
  labelManaged({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' } }, 'shop');

const withoutJobs = stages.filter((stage) => stage !== '70-jobs');

/** One ConfigMap per stage, and the operator; the extra ones are in all clusters unless some are named. */
function planOf(extra: readonly KubeObject[] = [], having: readonly string[] = clusters) {
  const rendered = clusters.flatMap((cluster) =>
    withoutJobs.map((stage): RenderedStage => {
      const marker = configMap(`in-${stage}`);
      const operator = {
        apiVersion: 'install.istio.io/v1alpha1',
        kind: 'IstioOperator',
        metadata: { name: 'istio' },
      };
      const account = labelManaged(
        {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: remoteReader, namespace: 'istio-system' },
        },
        'shop',
      );
      const objects = [
        marker,
        ...(stage === '10-control-plane' ? [operator, account] : []),
        ...(stage === '30-mesh' && having.includes(cluster) ? extra : []),
      ];
      return { cluster, stage, path: `${cluster}/${stage}.k8s.yaml`, yaml: '', objects };
    }),
  );
  return planMesh(modelOf(clusters), rendered);
}

function up(plan = planOf(), limits: Partial<Limits> = {}, settled?: () => void) {
  const access = Object.fromEntries(
    clusters.map((name) => [name, { kubeconfig: apis[name]?.kubeconfig ?? '', context: name }]),
  );
  return applyPlan(plan, {
    ...parseConfig({ clusters: access, istioctl, trustDir: 'trust' }, folder, 'test'),
    report: (line) => lines.push(line),
    limits: { ...quickLimits, ...limits },
    compared: (nothing) => changesNothing.push(nothing),
    ...(settled && { settled }),
  });
}
/** Somebody takes our labels off a ConfigMap: which fields we applied stays known. */
function changeByHand(cluster: string, name: string): void {
  const { managedFields } = apis[cluster]?.get(configMap(name))?.['metadata'] as { managedFields: unknown };
  const metadata = { name, namespace: 'shop', labels: {}, managedFields };
  apis[cluster]?.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
}
const applied = (cluster: string) =>
  (apis[cluster]?.requests ?? [])
    .filter(({ method }) => method === 'PATCH')
    .map(({ path }) => path.split('/').at(-1));

describe('applyPlan', () => {
  test('applies stage after stage, the CA before the release and the remote secret after it', async () => {
    const summary = await up();
    expect(applied('east')).toEqual([
      'in-00-namespaces',
      'cacerts',
      'istio',
      'in-10-control-plane',
      remoteReader,
      'meshwright-trust',
      expect.stringMatching(/^istio-remote-reader-west-1-[0-9a-f]{8}$/),
      'istio-remote-secret-west',
      'in-20-gateways',
      'in-30-mesh',
      'in-40-services',
      'in-50-workloads',
      'in-60-traffic',
    ]);
    expect(summary).toMatchObject({ created: 24, changed: 0, unchanged: 0, deleted: 0 });
    expect(lines.filter((line) => line.startsWith('west '))).toEqual([
      'west 00-namespaces: ready, 1 created',
      'west 10-control-plane: ready, 4 created',
      'west 20-gateways: ready, 3 created',
      'west 30-mesh: ready, 1 created',
      'west 40-services: ready, 1 created',
      'west 50-workloads: ready, 1 created',
      'west 60-traffic: ready, 1 created',
    ]);
  });

  test('changes nothing the second time, and afterwards only what was changed by hand', async () => {
    await up();
    for (const api of Object.values(apis)) api.requests.length = 0;
    expect(await up()).toMatchObject({ created: 0, changed: 0, unchanged: 24, deleted: 0 });
    expect([...applied('east'), ...applied('west')]).toEqual([]);
    changeByHand('west', 'in-30-mesh');
    lines = [];
    const { stages: summaries } = await up();
    expect(
      summaries.flatMap(({ cluster, stage, changed }) =>
        changed.map((name) => `${cluster} ${stage} ${name}`),
      ),
    ).toEqual(['west 30-mesh ConfigMap shop/in-30-mesh']);
    expect(lines).toContain('west 30-mesh: changed ConfigMap shop/in-30-mesh');
    expect(lines).toContain('west 30-mesh: ready, 1 changed');
    expect(lines).toContain('east 30-mesh: ready, nothing to change, 1 unchanged');
    expect(changesNothing).toEqual([false, true, false]);
  });

  test('asks by a dry run where the API server has filled something in, and changes nothing', async () => {
    const gateway = labelManaged(
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'Gateway',
        metadata: { name: 'gate', namespace: 'shop' },
        spec: { servers: [{ port: 80 }] },
      },
      'shop',
    );
    const plan = planOf([gateway]);
    await up(plan);
    for (const api of Object.values(apis)) {
      const live = api.get(gateway);
      Object.assign(live?.['spec'] as object, { servers: [{ port: 80, protocol: 'filled in' }] });
      const others = api.intervene;
      api.intervene = (request) =>
        request.method === 'PATCH' && request.path.endsWith('/gate')
          ? { status: 200, body: live }
          : others(request);
      api.requests.length = 0;
    }
    expect(await up(plan)).toMatchObject({ created: 0, changed: 0, unchanged: 26, deleted: 0 });
    const patches = (apis['east']?.requests ?? []).filter(({ method }) => method === 'PATCH');
    expect(patches.map(({ path, query }) => [path.split('/').at(-1), query['dryRun']])).toEqual([
      ['gate', 'All'],
    ]);
  });

  test('tells that there is nothing to apply before it awaits what clusters have of each other, and only then', async () => {
    const told = () => lines.push('nothing to apply');
    await up(planOf(), undefined, told);
    expect(lines).not.toContain('nothing to apply');
    lines = [];
    await up(planOf(), undefined, told);
    const place = (line: string) => lines.findIndex((one) => one.startsWith(line));
    expect(place('nothing to apply')).toBeGreaterThan(place('east 50-workloads: ready, '));
    expect(place('nothing to apply')).toBeGreaterThan(place('west 50-workloads: ready, '));
    expect(place('nothing to apply')).toBeLessThan(place('east 60-traffic: ready, '));
    expect(place('nothing to apply')).toBeLessThan(place('west 60-traffic: ready, '));
    changeByHand('east', 'in-60-traffic');
    lines = [];
    await up(planOf(), undefined, told);
    expect(lines).not.toContain('nothing to apply');
  });

  test('also awaits that control planes read each other when there is nothing to apply', async () => {
    await up();
    planes['east']!.status['west'] = 'timeout';
    const limits = { remoteCluster: 0, declaredGateway: 0, loadBalancer: 0 };
    const { exitCode, message } = await problemOf(up(planOf(), limits));
    expect([exitCode, message.split(';')[0]]).toEqual([
      1,
      "east: remote secret istio-system/istio-remote-secret-west: east's control plane does not read the API server of west after 0 s: istiod-1 reports timeout",
    ]);
  });

  test('deletes at the end what it made before and is no longer declared, and only that', async () => {
    const namespace = labelManaged(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'old' }, status: { phase: 'Active' } },
      'shop',
    );
    // Others may have resources of a kind that we brought: they would go with its definition.
    const definition = labelManaged(
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'wasmplugins.extensions.istio.io' },
        status: { conditions: [{ type: 'Established', status: 'True' }] },
      },
      'shop',
    );
    await up(planOf([configMap('old'), namespace, definition]));
    const strangers = [
      configMap('copied-labels'),
      labelManaged({ ...configMap('other-mesh') }, 'market'),
      { ...configMap('by-hand'), metadata: { name: 'by-hand', namespace: 'shop' } },
    ];
    for (const one of strangers) apis['east']?.put({ ...one, metadata: { ...one.metadata } });
    lines = [];
    expect(await up()).toMatchObject({ created: 0, changed: 0, unchanged: 24, deleted: 2 });
    const said = (cluster: string) => [
      `${cluster}: Namespace old is no longer declared and is left: delete it by hand`,
      `${cluster}: CustomResourceDefinition wasmplugins.extensions.istio.io is no longer declared and is left: delete it by hand`,
      `${cluster}: deleted ConfigMap shop/old`,
    ];
    expect(lines.slice(-6).toSorted()).toEqual([...said('east'), ...said('west')].toSorted());
    expect(strangers.map((one) => apis['east']?.get(one) !== undefined)).toEqual([true, true, true]);
    for (const kept of [namespace, definition]) expect(apis['east']?.get(kept)).toBeDefined();
    expect(await up()).toMatchObject({ created: 0, changed: 0, unchanged: 24, deleted: 0 });
    // What is deleted is a change: proofs of before it show nothing.
    expect(changesNothing).toEqual([false, false, true]);
  });

  test('what leaves one cluster alone is deleted there, and counts as a change', async () => {
    const moved = configMap('moved');
    await up(planOf([moved]));
    changesNothing.length = 0;
    expect(await up(planOf([moved], ['west']))).toMatchObject({ created: 0, changed: 0, deleted: 1 });
    expect(clusters.map((cluster) => apis[cluster]?.get(moved) !== undefined)).toEqual([false, true]);
    expect(changesNothing).toEqual([false]);
  });

  test('a failure in one cluster stops what depends on it, and is told once', async () => {
    const token = apis['west']?.intervene;
    if (apis['west'] !== undefined && token !== undefined) {
      apis['west'].intervene = (request) =>
        request.method === 'PATCH' && request.path.endsWith('/istio')
          ? { status: 403, body: { message: 'configmaps "istio" is forbidden' } }
          : token(request);
    }
    expect(await problemOf(up())).toEqual({
      exitCode: 1,
      message: 'west: ConfigMap istio-system/istio: not applied: configmaps "istio" is forbidden',
    });
    expect(applied('east')).toEqual([
      'in-00-namespaces',
      'cacerts',
      'istio',
      'in-10-control-plane',
      remoteReader,
    ]);
  });

  test('a cluster that cannot be read or reached stops nobody, and is told at the end', async () => {
    planes['east']!.status['west'] = 'timeout';
    planes['east']!.log = '2026\terror\twatch error in cluster west: failed to list *v1.Pod: i/o timeout';
    const { server } = apis['west']!.client;
    const refused = 'dial tcp 192.0.2.1:15443: connect: connection refused';
    apis['west']!.run = tryFrom(() => refused, apis['west']!.run);
    const limits = { remoteCluster: 1_000, declaredGateway: 0, loadBalancer: 1_000 };
    expect(await problemOf(up(planOf(), limits))).toEqual({
      exitCode: 1,
      message: [
        "east: remote secret istio-system/istio-remote-secret-west: east's control plane does not read the API server of west after 1 s: istiod-1 reports timeout; " +
          `its log: failed to list *v1.Pod: i/o timeout; from here, ${server} accepts the same token; ` +
          `fix: let the pods of east reach ${server}, or set clusters.west.apiServer in the stack file to an address that they can reach, then run the command again`,
        'from west to east: east-west gateway: not reached from inside west within 1 s: connection refused; received "192.0.2.1:15443"; ' +
          'fix: check where the load balancer of Service istio-eastwest/istio-eastwestgateway in east sends its connections, then run the command again',
      ].join('\n'),
    });
    expect([applied('east'), applied('west')].map((names) => names.at(-1))).toEqual([
      'in-60-traffic',
      'in-60-traffic',
    ]);
  });

  test('changes nothing at all when a cluster has another trust', async () => {
    await up();
    rmSync(join(folder, 'trust'), { recursive: true });
    for (const api of Object.values(apis)) api.requests.length = 0;
    expect((await problemOf(up())).exitCode).toBe(2);
    expect([...applied('east'), ...applied('west')]).toEqual([]);
  });

  test('warns of a Kubernetes that is newer than any this is tested with', async () => {
    apis['west']!.version = 'v1.37.0';
    await up();
    expect(lines[0]).toBe('warning: cluster west runs Kubernetes v1.37.0; the newest version tested is 1.36');
  });

  test('puts no key and no token into what it reports', async () => {
    await up();
    expect(lines.join('\n')).not.toMatch(/PRIVATE|e30\./);
  });
});
