import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../charts/synth.ts';
import { applyPlan } from '../apply/apply.ts';
import { describe as nameOf, manager } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { planMesh } from '../plan/plan.ts';
import { parseConfig } from '../plan/stack-config.ts';
import { makeCertificate } from '../testing/certificates.ts';
import type { MadeCertificate } from '../testing/certificates.ts';
import { playCertManager } from '../testing/cert-manager.ts';
import { playControllers } from '../testing/controllers.ts';
import { quickLimits } from '../testing/limits.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { meshes, root as project, writeIstioctl } from '../testing/meshes.ts';
import { runOnServers } from '../testing/run-on-servers.ts';

const names = ['east', 'west'];
const trust = { issuer: { name: 'mesh-ca' } };
let folder: string;
let root: MadeCertificate;
let cas: readonly MadeCertificate[];
const started: KubeApi[] = [];

/** Two clusters with cert-manager, and what is sent to them and looked at there, in order. */
async function clusters() {
  const seen: string[] = [];
  const access: Record<string, { kubeconfig: string; context: string }> = {};
  const apis = new Map<string, KubeApi>();
  for (const [index, cluster] of names.entries()) {
    const api = await KubeApi.start(cluster);
    started.push(api);
    playControllers(api, cluster);
    playCertManager(api, cas[index]!, root.certificate);
    const play = api.intervene;
    api.intervene = (request) => {
      const answer = play(request);
      const isIssued = request.path.endsWith('/certificates/cacerts') && answer !== undefined;
      if (isIssued) seen.push(`${cluster}: issued`);
      if (request.query['fieldManager'] === manager && request.query['force'] === 'true')
        seen.push(`${cluster}: ${nameOf(request.body as KubeObject)}`);
      return answer;
    };
    access[cluster] = { kubeconfig: api.kubeconfig, context: cluster };
    apis.set(cluster, api);
  }
  return { access, seen, apis };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'issuer-'));
  root = await makeCertificate({ name: 'root' });
  cas = await Promise.all(names.map((name) => makeCertificate({ name, issuer: root })));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all(started.map((api) => api.stop()));
});

/** What either driver has to do: ask, wait, and only then start what signs; no CA of ours anywhere. */
function expectIssued(seen: readonly string[]): void {
  for (const cluster of names) {
    const at = (what: string) => seen.indexOf(`${cluster}: ${what}`);
    expect(at('Certificate istio-system/cacerts')).toBeGreaterThan(at('Namespace istio-system'));
    expect(at('issued')).toBeGreaterThan(at('Certificate istio-system/cacerts'));
    expect(at('Deployment istio-system/istiod')).toBeGreaterThan(at('issued'));
  }
  expect(
    seen.filter((one) => one.includes('Secret istio-system/cacerts') || one.includes('meshwright-trust')),
  ).toEqual([]);
}

test('server-side apply waits for the issuer before istiod starts, makes no CA, and finds nothing to change again', async () => {
  const mesh = meshes[0]![1]();
  const plan = planMesh(mesh.model(), synthesize(mesh));
  const { access, seen } = await clusters();
  const trustDir = join(folder, 'apply');
  const options = {
    ...parseConfig({ clusters: access, istioctl: writeIstioctl(folder), trustDir, trust }, project, 'test'),
    report: () => undefined,
    limits: quickLimits,
  };
  await applyPlan(plan, options);
  expectIssued(seen);
  expect(await applyPlan(plan, options)).toMatchObject({ created: 0, changed: 0, deleted: 0 });
  expect(readdirSync(folder)).not.toContain('apply');
});

test('Pulumi waits alike, protects the Certificate, and says until when the CAs are valid', async () => {
  const { access, seen, apis } = await clusters();
  const config: Record<string, string> = {
    clusters: JSON.stringify(access),
    istioctl: writeIstioctl(folder),
    trustDir: join(folder, 'pulumi'),
    trust: JSON.stringify(trust),
  };
  const run = (preview: boolean) => runOnServers(meshes[0]![1](), { apis, config, preview });
  await run(true);
  expect(seen).toEqual([]);
  const { registered } = await run(false);
  expectIssued(seen);
  expect(registered.filter((one) => one.protect).map(({ name }) => name)).toEqual(
    names.map((cluster) => `${cluster}/istio-system/cacerts`),
  );
  const { result } = await run(false);
  expect(Object.entries(result.clusters).map(([name, { trustNotAfter }]) => [name, trustNotAfter])).toEqual(
    names.map((name) => [name, expect.stringMatching(/^\d{4}-\d\d-\d\dT/)]),
  );
  expect(readdirSync(folder)).not.toContain('pulumi');
  // Three runs of the engine: longer than jest's own limit where much else runs.
}, 300_000);
