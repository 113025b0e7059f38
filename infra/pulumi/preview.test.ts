import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mesh, TrafficPolicy, lab } from '../../charts/index.ts';
import { catalogIn, clusters } from '../../charts/testing/mesh.ts';
import { tokenPlaceholder } from '../remote/remote-secret.ts';
import { playControllers } from '../testing/controllers.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { root, writeIstioctl } from '../testing/meshes.ts';
import type { Registered } from '../testing/pulumi-engine.ts';
import { runOnServers } from '../testing/run-on-servers.ts';

const names = Object.keys(clusters);
const declare = (edited = false) => {
  const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
  const catalog = catalogIn(mesh.namespace('shop'));
  if (edited)
    new TrafficPolicy(catalog, 'traffic', {
      rules: [{ method: catalog.method.getProduct, retries: { attempts: 2 } }],
    });
  return mesh;
};

/** What the engine compares with what it knows. */
const compared = ({ name, inputs, ignoreChanges, protect, dependencies }: Registered) => [
  name,
  { inputs, ignoreChanges, protect, dependencies: dependencies.toSorted() },
];
const tableOf = (registered: readonly Registered[]) =>
  Object.fromEntries(registered.map((one) => [one.urn, compared(one)]));

describe('a preview', () => {
  let folder: string;
  let apis: readonly KubeApi[];
  let config: Record<string, string>;
  let first: readonly Registered[];

  const run = async (preview: boolean, edited = false) => {
    const servers = new Map(names.map((name, index) => [name, apis[index]!]));
    const { registered } = await runOnServers(declare(edited), { apis: servers, config, preview });
    return registered;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'preview-'));
    apis = await Promise.all(names.map((cluster) => KubeApi.start(cluster)));
    for (const [index, api] of apis.entries()) playControllers(api, names[index]!);
    const access = names.map((cluster, index) => [
      cluster,
      { kubeconfig: apis[index]!.kubeconfig, context: cluster },
    ]);
    config = {
      clusters: JSON.stringify(Object.fromEntries(access)),
      istioctl: writeIstioctl(folder),
      trustDir: join(folder, 'trust'),
    };
    const before = await run(true);
    const due = before.filter(({ name }) => name.includes('istio-remote-secret-'));
    expect(due).toHaveLength(2);
    for (const { inputs } of due) {
      const [kubeconfig = ''] = Object.values(inputs['data'] as Record<string, string>);
      expect(Buffer.from(kubeconfig, 'base64').toString('utf8')).toContain(`token: ${tokenPlaceholder}`);
    }
    expect(apis.map((api) => api.objects.size)).toEqual(names.map(() => 0));
    expect(existsSync(join(folder, 'trust'))).toBe(false);
    first = await run(false);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all(apis.map((api) => api.stop()));
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('of an unchanged stack is the same to the last field, tokens included, and asks for nothing to be made', async () => {
    for (const api of apis) api.requests.length = 0;
    expect(tableOf(await run(true))).toEqual(tableOf(first));
    // Asking what one may do is a POST, too.
    const writes = apis
      .flatMap((api) => api.requests)
      .filter(({ method, path }) => method !== 'GET' && !/selfsubject|tokenreviews/.test(path));
    expect(writes.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  test('after an interrupted run is the same too: what is missing in a cluster is made as it was', async () => {
    const [east] = apis;
    for (const key of [...east!.objects.keys()].filter((path) => path.includes('/istio-ingress/')))
      east!.objects.delete(key);
    expect(tableOf(await run(false))).toEqual(tableOf(first));
  });

  test('of one edited service has no other resource changed', async () => {
    const before = tableOf(first);
    const now = await run(true, true);
    const changed = now.filter(
      (one) => JSON.stringify(before[one.urn]?.[1]) !== JSON.stringify(compared(one)[1]),
    );
    const inputsChanged = changed.filter((one) => {
      const known = first.find(({ urn }) => urn === one.urn);
      return JSON.stringify(known?.inputs) !== JSON.stringify(one.inputs);
    });
    expect(inputsChanged.length).toBeGreaterThan(0);
    expect(inputsChanged.filter(({ name }) => !/^[a-z]+\/shop\/catalog/.test(name))).toEqual([]);
  });

  test('warns of a Kubernetes that is newer than any this is tested with', async () => {
    const warn = jest.spyOn(console, 'warn').mockReturnValue();
    apis[1]!.version = 'v1.37.0';
    await run(true);
    apis[1]!.version = 'v1.36.3';
    expect(warn.mock.calls).toEqual([
      ['warning: [runtime] cluster west runs Kubernetes v1.37.0; the newest version tested is 1.36'],
    ]);
  });

  test('without a cluster says so, and keeps what it cannot ask for as the state knows it', async () => {
    const warn = jest.spyOn(console, 'warn').mockReturnValue();
    const asked = apis.map((api) => api.intervene);
    for (const api of apis) api.intervene = () => ({ status: 401, body: { message: 'Unauthorized' } });
    const registered = await run(true);
    for (const [index, api] of apis.entries()) api.intervene = asked[index]!;
    const kept = registered.filter(({ ignoreChanges }) => ignoreChanges.includes('data'));
    expect(kept.map(({ name }) => name).toSorted()).toEqual([
      'east/istio-system/istio-remote-secret-west',
      'west/istio-system/istio-remote-secret-east',
    ]);
    const others = (all: readonly Registered[]) =>
      tableOf(all.filter(({ name }) => !name.includes('istio-remote-secret-')));
    expect(others(registered)).toEqual(others(first));
    expect(warn.mock.calls.flat().join('\n')).toContain(
      'The clusters were not checked: this preview compares with the state only.',
    );
  });
});
