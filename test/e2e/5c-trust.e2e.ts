import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { openClients } from '../../infra/kube/connection.ts';
import type { KubeClient } from '../../infra/kube/kube-client.ts';
import type { TrustSettings } from '../../infra/plan/stack-config.ts';
import { problemOf } from '../../infra/testing/problems.ts';
import { awaitTrust } from '../../infra/trust/proxies.ts';
import { ensureLab, kubeconfig, kubectl, type Status } from './checkout/lab.ts';
import { heldCertificates } from './load/held.ts';
import { loadIn, loadMesh } from './load/load-mesh.ts';
import { startLoad, type LoadResult } from './load/steady-load.ts';
import { applyVariant } from './checkout/variant.ts';

const clusters = ['east', 'west'] as const;
const namespace = 'istio-system';
const minute = 60_000;
let status: Status;
let clients: readonly KubeClient[];
/** A copy of the lab's trust: the suites after this one use the lab's own. */
let trustDir: string;

beforeAll(async () => {
  status = await ensureLab();
  const access = Object.fromEntries(clusters.map((name) => [name, { kubeconfig, context: name }]));
  clients = Object.values(openClients(clusters, access));
  trustDir = mkdtempSync(join(tmpdir(), 'trust-'));
  cpSync(thisWorkspace().trustDir, trustDir, { recursive: true });
  await bring({ generation: 1, intermediate: 1 });
}, 60 * minute);

// The lab gets its own trust back: not by phases, which go forward only, but as a mesh that is made anew.
afterAll(async () => {
  for (const cluster of clusters) kubectl(cluster, '-n', namespace, 'delete', 'secret', 'cacerts');
  await applyVariant(loadMesh(), { change: loadIn(clusters) });
  await report();
  rmSync(trustDir, { recursive: true });
}, 15 * minute);

const apply = (trust: TrustSettings) =>
  applyVariant(loadMesh(), { change: loadIn(clusters), stack: { trust, trustDir } });
const report = () =>
  awaitTrust(clients, namespace, (line) => {
    process.stderr.write(`${line}\n`);
  });

async function bring(trust: TrustSettings) {
  await apply(trust);
  return report();
}

/** Makes the change under load, both ways between the clusters and through both ingress gateways. */
async function underLoad(trust: TrustSettings): Promise<LoadResult> {
  const ingress = Object.fromEntries(
    clusters.map((name) => [`through ${name}`, `${status.clusters[name]!.ingress}/v1/stock/x`]),
  );
  const load = await startLoad({ clusters, ingress });
  const seen = await bring(trust);
  const result = await load.stop();
  process.stderr.write(`trust ${JSON.stringify(trust)}: ${JSON.stringify(result)}\n`);
  expect(seen.map(({ cluster, state }) => ({ cluster, state }))).toEqual(
    clusters.map((cluster) => ({ cluster, state: trust })),
  );
  return result;
}

const root = (generation: number) =>
  subjectKey(join(trustDir, generation === 1 ? '.' : `generation-${generation}`, 'root-cert.pem'));
const subjectKey = (file: string) => new X509Certificate(readFileSync(file)).serialNumber.toLowerCase();

/** Who issued the certificate of the pods that call, what they trust, and how long it is valid. */
function held(cluster: string) {
  const [leaf, issuer] = heldCertificates(cluster, 'default');
  expect(leaf!.checkIssued(issuer!)).toBe(true);
  const hours = (leaf!.validToDate.getTime() - leaf!.validFromDate.getTime()) / 3_600_000;
  return {
    issuer: issuer!.serialNumber.toLowerCase(),
    anchors: [
      ...new Set(heldCertificates(cluster, 'ROOTCA').map((one) => one.serialNumber.toLowerCase())),
    ].toSorted(),
    hours: Math.round(hours),
  };
}

describe('trust is replaced under load', () => {
  test.each<[string, TrustSettings, folder: string, generations: readonly number[]]>([
    ['another intermediate', { generation: 1, intermediate: 2 }, 'intermediate-2', [1]],
    ['add-root', { generation: 2, phase: 'add-root', intermediate: 2 }, 'intermediate-2', [1, 2]],
    ['re-issue', { generation: 2, phase: 're-issue', intermediate: 1 }, 'generation-2', [1, 2]],
    ['drop-root', { generation: 2, phase: 'drop-root', intermediate: 1 }, 'generation-2', [2]],
  ])(
    '%s: no call fails, and the proxies hold what it says',
    async (_, trust, folder, generations) => {
      const result = await underLoad(trust);
      expect(result).toMatchObject({ failed: 0, failures: [] });
      for (const cluster of clusters) {
        expect(held(cluster)).toEqual({
          issuer: subjectKey(join(trustDir, folder, cluster, 'ca-cert.pem')),
          anchors: generations.map(root).toSorted(),
          hours: 24,
        });
      }
    },
    15 * minute,
  );

  test('a skipped and a reversed phase are refused by both clusters, and nothing is changed', async () => {
    const versions = () =>
      clusters.map((cluster) =>
        kubectl(
          cluster,
          '-n',
          namespace,
          'get',
          'secret/cacerts',
          '-o',
          'jsonpath={.metadata.resourceVersion}',
        ),
      );
    const before = versions();
    const refused = (trust: TrustSettings) => problemOf(apply(trust));
    const now = 'generation 2, phase drop-root, intermediate 1 as it is now, a higher intermediate, or';
    expect(await refused({ generation: 3, phase: 're-issue', intermediate: 1 })).toEqual({
      exitCode: 2,
      message: clusters
        .map(
          (cluster) =>
            `${cluster}: Secret istio-system/cacerts: trust phases have to be taken one at a time, and this skips one: calls would fail; received "generation 3, phase re-issue, intermediate 1"; allowed ${now} generation 3, phase add-root; fix: set generation 3, phase add-root first`,
        )
        .join('\n'),
    });
    expect(await refused({ generation: 2, phase: 're-issue', intermediate: 1 })).toEqual({
      exitCode: 2,
      message: clusters
        .map(
          (cluster) =>
            `${cluster}: Secret istio-system/cacerts: trust phases can only move forward; received "generation 2, phase re-issue, intermediate 1"; allowed ${now} generation 3, phase add-root`,
        )
        .join('\n'),
    });
    expect(versions()).toEqual(before);
  });
});
