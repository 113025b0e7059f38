import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthMesh } from '../../cli/workspace/synth-mesh.ts';
import { waitFor } from '../../core/wait.ts';
import { removeMesh } from '../../infra/apply/remove.ts';
import { openClients } from '../../infra/kube/connection.ts';
import type { KubeClient } from '../../infra/kube/kube-client.ts';
import { parseConfig } from '../../infra/plan/stack-config.ts';
import { problemOf } from '../../infra/testing/problems.ts';
import { caSignerEnd } from '../../infra/trust/ca-signer-end.ts';
import { ensureTrust } from '../../infra/trust/folder.ts';
import { readCa } from '../../infra/trust/live-ca.ts';
import { awaitTrust } from '../../infra/trust/proxies.ts';
import { nodeFolder, nodePaths } from '../../lab/node/spec.ts';
import { startVaultDriver, type Files, type VaultDriver } from '../csi/vault-driver.ts';
import { npm, root, stateDir } from './checkout/cli.ts';
import { expectNoMesh } from './checkout/contexts.ts';
import { ensureUp, kubeconfig, kubectl } from './checkout/lab.ts';
import { applyVariant } from './checkout/variant.ts';
import { everything } from './everything.ts';
import { heldCertificates } from './load/held.ts';
import { loadIn, loadMesh } from './load/load-mesh.ts';
import { startLoad } from './load/steady-load.ts';

const clusters = ['east', 'west'] as const;
const namespace = 'istio-system';
const driver = 'vault.example';
const minute = 60_000;
const access = Object.fromEntries(clusters.map((name) => [name, { kubeconfig, context: name }]));
const csi = { driver, volumeAttributes: { secretProviderClass: 'mesh-ca' } };
const { trust } = parseConfig({ trust: { csi } }, root, 'test');
const report = (line: string) => process.stderr.write(`${line}\n`);
const vault = mkdtempSync(join(tmpdir(), 'vault-'));
const drivers = new Map<string, readonly VaultDriver[]>();
let clients: readonly KubeClient[];

const bring = () => applyVariant(loadMesh(), { change: loadIn(clusters), stack: { trust } });
const takeDown = async () =>
  removeMesh((await synthMesh(root, 'lab')).model, { access, trustDir: join(vault, 'none'), report });

/** The files of each cluster's CA, of one root. */
async function authorities(intermediate: number): Promise<Readonly<Record<string, Files>>> {
  const made = await ensureTrust(vault, 'shop', clusters, namespace, { generation: 1, intermediate });
  return Object.fromEntries(
    Object.entries(made).map(([cluster, { certificate, key, chain, roots }]) => [
      cluster,
      { 'ca-cert.pem': certificate, 'ca-key.pem': key, 'cert-chain.pem': chain, 'root-cert.pem': roots },
    ]),
  );
}

/** What whoever holds the remote secret that opens a cluster can list of its Secrets. */
function listedWith(reader: string, of: string): string {
  const secret = kubectl(
    reader,
    '-n',
    namespace,
    'get',
    `secret/istio-remote-secret-${of}`,
    '-o',
    `jsonpath={.data.${of}}`,
  );
  const token = /token: (\S+)/.exec(Buffer.from(secret, 'base64').toString('utf8'))?.[1];
  expect(token).toMatch(/^ey/);
  return kubectl(of, '--token', token!, 'get', 'secrets', '--all-namespaces', '-o', 'json');
}

// It takes the mesh down and brings another one up, twice.
(everything ? describe : describe.skip)('CAs in a volume of a CSI driver', () => {
  beforeAll(async () => {
    await ensureUp();
    clients = Object.values(openClients(clusters, access));
    await takeDown();
  }, 30 * minute);

  afterAll(async () => {
    await takeDown();
    for (const driver of [...drivers.values()].flat()) driver.stop();
    for (const cluster of clusters) kubectl(cluster, 'delete', '--ignore-not-found', `csidriver/${driver}`);
    rmSync(vault, { recursive: true });
    // As the other suites expect it.
    expect(await npm('up')).toMatchObject({ code: 0 });
  }, 10 * minute);

  const shown = (cluster: string) => {
    const [leaf, ca] = heldCertificates(cluster, 'default');
    expect(leaf!.checkIssued(ca!) && leaf!.verify(ca!.publicKey)).toBe(true);
    return ca!.serialNumber;
  };
  /** How often an istiod has said that it took a CA from changed files. */
  const reloads = (cluster: string) =>
    kubectl(cluster, '-n', namespace, 'logs', '-l', 'app=istiod', '--tail=-1').split(
      'Istiod has detected the newly added intermediate CA',
    ).length - 1;
  const serialOf = (files: Files) => new X509Certificate(files['ca-cert.pem']!).serialNumber;

  test(
    'without the driver are refused, and nothing is changed',
    async () => {
      expect(await problemOf(bring())).toEqual({
        exitCode: 2,
        message: clusters
          .map(
            (cluster) =>
              `${cluster}: CSIDriver ${driver}: does not exist, but trust.csi names it: istiod would not start; fix: install the driver in every cluster first`,
          )
          .join('\n'),
      });
      expectNoMesh();
    },
    minute,
  );

  test(
    'are what the istiods sign with, calls go between the clusters, and no Secret has the key of a CA',
    async () => {
      const files = await authorities(1);
      for (const cluster of clusters) {
        const object = {
          ...{ apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: driver } },
          spec: { attachRequired: false, podInfoOnMount: true, volumeLifecycleModes: ['Ephemeral'] },
        };
        kubectl(cluster, 'apply', '--server-side', '-f', '-', { input: JSON.stringify(object) });
        const nodes = kubectl(cluster, 'get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}').split(' ');
        const started = nodes.map((node) => {
          const { mounts } = nodePaths(nodeFolder(stateDir, node));
          return startVaultDriver(driver, { node, mounts, files: files[cluster]! });
        });
        drivers.set(cluster, await Promise.all(started));
      }
      await bring();
      const seen = await awaitTrust(clients, namespace, report);
      expect(seen.map(({ cluster, state, lagging }) => ({ cluster, state, lagging }))).toEqual(
        clusters.map((cluster) => ({ cluster, state: trust, lagging: [] })),
      );
      for (const { proxies } of seen) expect(proxies).toBeGreaterThan(2);
      for (const [index, cluster] of clusters.entries()) {
        expect(shown(cluster)).toBe(serialOf(files[cluster]!));
        const client = clients[index]!;
        const ca = await readCa(client, namespace, undefined);
        expect(ca).toEqual({ state: trust, roots: files[cluster]!['root-cert.pem'] });
        expect(await caSignerEnd(client, namespace, ca, undefined)).toEqual(
          new X509Certificate(files[cluster]!['ca-cert.pem']!).validToDate,
        );
      }
      for (const [reader, of] of [clusters, clusters.toReversed()] as [string, string][]) {
        const listed = JSON.parse(listedWith(reader, of)) as { items: { data?: Record<string, string> }[] };
        expect(listed.items.length).toBeGreaterThan(0);
        const values = listed.items.flatMap(({ data = {} }) => Object.values(data));
        const texts = values.map((value) => Buffer.from(value, 'base64').toString('utf8'));
        expect(texts.filter((text) => text.includes('PRIVATE KEY'))).toEqual([]);
      }
      const result = await (await startLoad({ clusters })).stop();
      report(`calls between the clusters: ${JSON.stringify(result)}`);
      expect(result.failed).toBe(0);
      expect(result.calls).toBeGreaterThan(0);
    },
    10 * minute,
  );

  test(
    'are renewed by whoever fills the volume: no call fails, and istiod takes them without a restart',
    async () => {
      const files = await authorities(2);
      const podsOf = (cluster: string) =>
        kubectl(
          cluster,
          '-n',
          namespace,
          'get',
          'pods',
          '-l',
          'app=istiod',
          '-o',
          'jsonpath={.items[*].metadata.uid}',
        );
      const before = clusters.map(podsOf);
      const reloaded = clusters.map(reloads);
      const calling = await startLoad({ clusters });
      for (const cluster of clusters)
        for (const driver of drivers.get(cluster)!) driver.give(files[cluster]!);
      for (const [index, cluster] of clusters.entries()) {
        const what = `${cluster}: CA read by istiod`;
        await waitFor({ what, timeoutMs: 4 * minute, intervalMs: 2_000 }, () =>
          reloads(cluster) > reloaded[index]!
            ? { done: true, value: true }
            : { done: false, because: 'its log does not say so' },
        );
      }
      const result = await calling.stop();
      report(`renewal: ${JSON.stringify(result)}`);
      expect(result.failed).toBe(0);
      expect(result.calls).toBeGreaterThan(0);
      expect(clusters.map(podsOf)).toEqual(before);
      await bring();
      for (const cluster of clusters) {
        kubectl(cluster, '-n', 'shop', 'rollout', 'restart', 'deployment/load');
        kubectl(cluster, '-n', 'shop', 'rollout', 'status', 'deployment/load', '--timeout=120s');
        expect(shown(cluster)).toBe(serialOf(files[cluster]!));
      }
    },
    15 * minute,
  );

  test(
    'stay: the trust folder in their place is refused, and nothing is changed',
    async () => {
      const folder = applyVariant(loadMesh(), { change: loadIn(clusters), stack: { trustDir: vault } });
      expect(await problemOf(folder)).toEqual({
        exitCode: 2,
        message: clusters
          .map(
            (cluster) =>
              `${cluster}: Deployment istio-system/istiod: reads its CA from a volume, but the stack has no trust.csi: another root CA would cut off every running workload; allowed trust.csi: CSI driver ${driver} (secretProviderClass: mesh-ca); fix: restore the previous trust.csi, or take the mesh down first`,
          )
          .join('\n'),
      });
    },
    minute,
  );
});
