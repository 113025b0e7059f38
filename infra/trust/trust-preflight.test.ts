import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatProblem } from '../../core/problem.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { ensureTrust } from './folder.ts';
import { cacertsSecret } from './objects.ts';
import { trustProblems } from './trust-preflight.ts';

let east: KubeApi;
let west: KubeApi;
let folder: string;
const first: TrustSettings = { generation: 1, intermediate: 1 };
const adding: TrustSettings = { generation: 2, phase: 'add-root', intermediate: 1 };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trust-preflight-'));
  [east, west] = await Promise.all([KubeApi.start('east'), KubeApi.start('west')]);
});
afterEach(() => {
  for (const api of [east, west]) {
    api.objects.clear();
    api.requests.length = 0;
  }
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all([east.stop(), west.stop()]);
});

const bring = async (api: KubeApi, state: TrustSettings, directory = join(folder, 'ours')) => {
  const trust = await ensureTrust(directory, 'shop', ['east', 'west'], 'istio-system', state);
  const secret = cacertsSecret('shop', 'istio-system', trust[api.client.cluster]!);
  api.put({ ...secret, metadata: { ...secret.metadata } });
};
const check = async (wanted: TrustSettings, directory = join(folder, 'ours')) => {
  const clients = [east.client, west.client];
  const problems = await trustProblems(clients, 'istio-system', directory, wanted, undefined);
  for (const { requests } of [east, west])
    expect(requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  return problems.map(formatProblem);
};
const secret = (cluster: string) => `${cluster}: Secret istio-system/cacerts`;

test('clusters without a mesh may begin with any state, and nothing is made for it here', async () => {
  expect(await check({ generation: 4, intermediate: 7 }, join(folder, 'none'))).toEqual([]);
  expect(existsSync(join(folder, 'none'))).toBe(false);
});

test('a step on is allowed, also where an interrupted one has brought some clusters there', async () => {
  await bring(east, first);
  await bring(west, first);
  expect(await check(adding)).toEqual([]);
  await bring(east, adding);
  expect(await check(adding)).toEqual([]);
});

test('a phase that is skipped for one cluster and reversed for the other is refused by both, and nothing is made', async () => {
  await bring(east, { generation: 2, phase: 're-issue', intermediate: 1 });
  await bring(west, first);
  const before = readdirSync(join(folder, 'ours'), { recursive: true });
  const skipped = (now: string, next: string) =>
    `trust phases have to be taken one at a time, and this skips one: calls would fail; received "generation 2, phase drop-root, intermediate 1"; allowed ${now} as it is now, a higher intermediate, or ${next}; fix: set ${next} first`;
  expect(await check({ generation: 2, phase: 'drop-root', intermediate: 1 })).toEqual([
    `${secret('west')}: ${skipped('generation 1, intermediate 1', 'generation 2, phase add-root')}`,
  ]);
  expect(await check(first)).toEqual([
    `${secret('east')}: trust phases can only move forward; received "generation 1, intermediate 1"; allowed generation 2, phase re-issue, intermediate 1 as it is now, a higher intermediate, or generation 2, phase drop-root`,
  ]);
  expect(await check({ generation: 3, intermediate: 1 })).toHaveLength(2);
  expect(readdirSync(join(folder, 'ours'), { recursive: true })).toEqual(before);
});

test('a cluster with a root that the trust folder does not have is told from the others', async () => {
  await bring(east, first);
  await bring(west, first, join(folder, 'other'));
  expect(await check(first)).toEqual([
    `${secret('west')}: contains a different root CA than the trust folder; replacing it would cut off every running workload; fix: restore the trust folder that this mesh was created with, or take the mesh down first`,
  ]);
});

test('a proxy that cannot show its certificates keeps the next step back', async () => {
  await bring(east, first);
  await bring(west, first);
  const running = { name: 'istio-proxy', state: { running: {} } };
  const pod = (name: string, status: object) => {
    east.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop' }, status });
  };
  pod('silent', { initContainerStatuses: [running] });
  pod('without', { containerStatuses: [{ ...running, name: 'app' }] });
  const [problem, ...others] = await check(adding);
  expect(others).toEqual([]);
  expect(problem).toMatch(
    /^cluster east: 1 proxy does not have the current certificates: shop\/silent \(.*\): calls would fail in the next phase; received "generation 2, phase add-root, intermediate 1"; allowed generation 1, intermediate 1; fix: set trust back to the allowed state and run `npm run up`, which waits for the proxies$/,
  );
  // The same state again asks nobody, and an intermediate needs nothing of the one before.
  expect(await check(first)).toEqual([]);
  expect(await check({ generation: 1, intermediate: 2 })).toEqual([]);
  await bring(east, adding);
  expect(await check(adding)).toEqual([]);
});
