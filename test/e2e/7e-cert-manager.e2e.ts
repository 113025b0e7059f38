import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthMesh } from '../../cli/workspace/synth-mesh.ts';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { waitFor } from '../../core/wait.ts';
import { openClients } from '../../infra/kube/connection.ts';
import type { KubeClient } from '../../infra/kube/kube-client.ts';
import { removeMesh } from '../../infra/apply/remove.ts';
import { parseConfig } from '../../infra/plan/stack-config.ts';
import { problemOf } from '../../infra/testing/problems.ts';
import { createRoot } from '../../infra/trust/certificates.ts';
import { awaitTrust } from '../../infra/trust/proxies.ts';
import { ensureCertManager, startCertManager } from '../cert-manager/cert-manager.ts';
import { npm, root } from './checkout/cli.ts';
import { expectNoMesh } from './checkout/contexts.ts';
import { everything } from './everything.ts';
import { ensureUp, kubeconfig, kubectl } from './checkout/lab.ts';
import { heldCertificates } from './load/held.ts';
import { loadIn, loadMesh } from './load/load-mesh.ts';
import { startLoad } from './load/steady-load.ts';
import { applyVariant } from './checkout/variant.ts';

const clusters = ['east', 'west'] as const;
const namespace = 'istio-system';
const minute = 60_000;
const access = Object.fromEntries(clusters.map((name) => [name, { kubeconfig, context: name }]));
const { trust } = parseConfig({ trust: { issuer: { name: 'mesh-ca' } } }, root, 'test');
const report = (line: string) => process.stderr.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'cert-manager-'));
const running: { stop(): Promise<void> }[] = [];
let clients: readonly KubeClient[];
let definitions: readonly string[];
let program: string;

const bring = () =>
  applyVariant(loadMesh(), { change: loadIn(clusters), stack: { trust, trustDir: join(folder, 'trust') } });
const takeDown = async () =>
  removeMesh((await synthMesh(root, 'lab')).model, { access, trustDir: join(folder, 'trust'), report });

// It builds cert-manager's controllers, some minutes the first time.
(everything ? describe : describe.skip)('an issuer of cert-manager', () => {
  beforeAll(async () => {
    ({ program, definitions } = await ensureCertManager({ ...thisWorkspace(), report }));
    await ensureUp();
    clients = Object.values(openClients(clusters, access));
    await takeDown();
  }, 30 * minute);

  afterAll(async () => {
    await takeDown();
    await Promise.all(running.map((one) => one.stop()));
    for (const cluster of clusters) {
      kubectl(cluster, 'delete', '--ignore-not-found', 'namespace', 'cert-manager');
      const input = definitions.join('---\n');
      kubectl(cluster, 'delete', '--ignore-not-found', '-f', '-', { input });
    }
    rmSync(folder, { recursive: true });
    // As the other suites expect it.
    expect(await npm('up')).toMatchObject({ code: 0 });
  }, 10 * minute);

  /** The serial number of the CA that issued the certificate of the pods that call. */
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
  const issued = (cluster: string) => {
    const file = (name: string) =>
      Buffer.from(
        kubectl(cluster, '-n', namespace, 'get', 'secret/cacerts', '-o', `jsonpath={.data.${name}}`),
        'base64',
      ).toString('utf8');
    return { ca: new X509Certificate(file('tls\\.crt')), root: new X509Certificate(file('ca\\.crt')) };
  };
  const load = () => {
    // Not from a status before: a mesh that was taken down and came again may have got other addresses.
    const address = (name: string) =>
      kubectl(
        name,
        ...['-n', 'istio-ingress', 'get', 'service/istio-ingressgateway'],
        ...['-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}'],
      );
    const ingress = Object.fromEntries(
      clusters.map((name) => [`through ${name}`, `http://${address(name)}/v1/stock/x`]),
    );
    return startLoad({ clusters, ingress });
  };

  test(
    'without cert-manager is refused, and nothing is changed',
    async () => {
      expect(await problemOf(bring())).toEqual({
        exitCode: 2,
        message:
          'trust.issuer: cert-manager is not installed in east, west: Certificate of cert-manager.io/v1 is not served; received "ClusterIssuer mesh-ca"; fix: install cert-manager and the issuer in east, west, or remove trust.issuer to use CAs of the trust folder',
      });
      expectNoMesh();
    },
    minute,
  );

  test(
    'signs what the istiods sign with, and calls go between the clusters',
    async () => {
      const ca = await createRoot('shop');
      const data = Object.fromEntries(
        Object.entries({ 'tls.crt': ca.certificate, 'tls.key': ca.key, 'ca.crt': ca.certificate }).map(
          ([name, content]) => [name, Buffer.from(content).toString('base64')],
        ),
      );
      for (const cluster of clusters) {
        kubectl(cluster, 'apply', '--server-side', '-f', '-', { input: definitions.join('---\n') });
        kubectl(cluster, 'wait', '--for=condition=Established', 'crd/clusterissuers.cert-manager.io');
        const objects = [
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'cert-manager' } },
          {
            apiVersion: 'v1',
            kind: 'Secret',
            type: 'kubernetes.io/tls',
            metadata: { name: 'root', namespace: 'cert-manager' },
            data,
          },
          {
            apiVersion: 'cert-manager.io/v1',
            kind: 'ClusterIssuer',
            metadata: { name: 'mesh-ca' },
            spec: { ca: { secretName: 'root' } },
          },
        ];
        kubectl(cluster, 'apply', '--server-side', '-f', '-', {
          input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
        });
        const file = join(folder, cluster);
        writeFileSync(file, kubectl(cluster, 'config', 'view', '--minify', '--raw'), { mode: 0o600 });
        running.push(
          startCertManager(program, file, (line) => report(`cert-manager of ${cluster}: ${line}`)),
        );
      }
      for (const cluster of clusters)
        kubectl(cluster, 'wait', '--for=condition=Ready', '--timeout=60s', 'clusterissuer/mesh-ca');
      await bring();
      const seen = await awaitTrust(clients, namespace, report);
      expect(seen.map(({ cluster, state, lagging }) => ({ cluster, state, lagging }))).toEqual(
        clusters.map((cluster) => ({ cluster, state: trust, lagging: [] })),
      );
      for (const { proxies } of seen) expect(proxies).toBeGreaterThan(2);
      const serials = new Set(clusters.map((cluster) => issued(cluster).root.serialNumber));
      expect([...serials]).toEqual([new X509Certificate(ca.certificate).serialNumber]);
      for (const cluster of clusters) expect(shown(cluster)).toBe(issued(cluster).ca.serialNumber);
      const result = await (await load()).stop();
      report(`calls between the clusters: ${JSON.stringify(result)}`);
      expect(result.failed).toBe(0);
      expect(result.calls).toBeGreaterThan(0);
    },
    10 * minute,
  );

  test(
    'renews a CA under load: no call fails, istiod takes it without a restart, and new certificates are signed by it',
    async () => {
      const started = clusters.map((cluster) => istiodPods(cluster));
      const before = clusters.map((cluster) => issued(cluster).ca.serialNumber);
      const reloaded = clusters.map((cluster) => reloads(cluster));
      const calling = await load();
      for (const cluster of clusters) renew(cluster);
      for (const [index, cluster] of clusters.entries()) {
        await waitFor({ what: `${cluster}: CA renewed`, timeoutMs: minute, intervalMs: 500 }, () =>
          issued(cluster).ca.serialNumber === before[index]
            ? { done: false, because: 'cacerts holds the one before' }
            : { done: true, value: true },
        );
        await waitFor(
          { what: `${cluster}: CA read by istiod`, timeoutMs: 4 * minute, intervalMs: 2_000 },
          () =>
            reloads(cluster) > reloaded[index]!
              ? { done: true, value: true }
              : { done: false, because: 'its log does not say so' },
        );
      }
      const result = await calling.stop();
      report(`renewal: ${JSON.stringify(result)}`);
      expect(result.failed).toBe(0);
      expect(clusters.map((cluster) => istiodPods(cluster))).toEqual(started);
      // Nothing to do for `up`, though proxies hold what the CA before signed.
      await bring();
      for (const cluster of clusters) {
        kubectl(cluster, '-n', 'shop', 'rollout', 'restart', 'deployment/load');
        kubectl(cluster, '-n', 'shop', 'rollout', 'status', 'deployment/load', '--timeout=120s');
        expect(shown(cluster)).toBe(issued(cluster).ca.serialNumber);
      }
      const mixed = await (await load()).stop();
      report(`certificates of both CAs: ${JSON.stringify(mixed)}`);
      expect(mixed.failed).toBe(0);
    },
    15 * minute,
  );
});

function istiodPods(cluster: string): string {
  return kubectl(
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
}

/** As `cmctl renew` asks for it: a condition that cert-manager's controllers act on. */
function renew(cluster: string): void {
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const condition = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'renewed by a test',
    lastTransitionTime,
  };
  const status = JSON.parse(
    kubectl(cluster, '-n', namespace, 'get', 'certificate/cacerts', '-o', 'jsonpath={.status}'),
  ) as { conditions: { type: string }[] };
  const conditions = [...status.conditions.filter(({ type }) => type !== 'Issuing'), condition];
  kubectl(
    cluster,
    ...['-n', namespace, 'patch', 'certificate/cacerts', '--subresource=status', '--type=merge', '-p'],
    JSON.stringify({ status: { conditions } }),
  );
}
