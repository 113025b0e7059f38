import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { lab } from '../../../charts/index.ts';
import { thisWorkspace } from '../../../cli/workspace/workspace.ts';
import { ensureTrust } from '../../../infra/trust/folder.ts';
import { ensureTools } from '../../../toolchain/build.ts';
import { kubeconfig, kubectl } from '../checkout/lab.ts';

/** The lab's clusters, with an Istio that others installed. */
export const clusters = ['east', 'west'] as const;
export type Cluster = (typeof clusters)[number];

/** Their revision, and the tag of it that pods carry. */
export const revision = '1-31-others';
export const tag = 'prod';
export const networkOf = (cluster: Cluster) => `vpc-${cluster}`;
export const front = { namespace: 'gateways-of-others', name: 'front' } as const;
const root = 'istio-system';

/**
 * As owners would write it, unlike ours: a revision with a tag, `cluster.local`, ALLOW_ANY, PERMISSIVE, Istio's own retries, no
 * discovery selectors, gateways of other names. Upstream Envoy lacks Istio's own filters, so these are off.
 */
const operator = (cluster: Cluster, meshConfig: object) => {
  const { hub, tag: image } = lab.istio;
  const resources = { requests: { cpu: '5m', memory: '32Mi' }, limits: { memory: '512Mi' } };
  const small = { resources, hpaSpec: { minReplicas: 1, maxReplicas: 1 } };
  const network = networkOf(cluster);
  return {
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    metadata: { name: 'others', namespace: root },
    spec: {
      profile: 'minimal',
      ...{ revision, hub, tag: image },
      meshConfig: { accessLogFile: '/dev/stdout', ...meshConfig },
      components: {
        cni: { enabled: true, namespace: root },
        ingressGateways: [
          {
            name: 'crossing',
            namespace: front.namespace,
            enabled: true,
            label: { istio: 'crossing', app: 'crossing', 'topology.istio.io/network': network },
            k8s: {
              ...small,
              env: [{ name: 'ISTIO_META_REQUESTED_NETWORK_VIEW', value: network }],
              service: { ports: [{ name: 'tls', port: 15443, targetPort: 15443 }] },
            },
          },
          {
            ...front,
            enabled: true,
            label: { istio: 'front', app: 'front' },
            k8s: { ...small, service: { ports: [{ name: 'http2', port: 80, targetPort: 8080 }] } },
          },
        ],
      },
      values: {
        cni: { resources: { requests: { cpu: '5m', memory: '32Mi' } } },
        gateways: { 'istio-ingressgateway': { injectionTemplate: 'gateway', autoscaleEnabled: false } },
        global: {
          meshID: 'others',
          multiCluster: { clusterName: cluster },
          network,
          defaultPodDisruptionBudget: { enabled: false },
          imagePullPolicy: 'IfNotPresent',
          proxy: { resources },
        },
        pilot: {
          autoscaleEnabled: false,
          replicaCount: 1,
          cni: { enabled: true },
          env: { PILOT_ENABLE_ALPN_FILTER: 'false', PILOT_ENABLE_METADATA_EXCHANGE: 'false' },
          resources: { requests: { cpu: '20m', memory: '64Mi' } },
        },
        telemetry: { enabled: false },
      },
    },
  };
};

async function istioctl(...words: readonly string[]): Promise<string> {
  const { cacheDir, logsDir } = thisWorkspace();
  const { istioctl: program } = await ensureTools({
    cacheDir,
    logsDir,
    sets: ['istio'],
    report: () => undefined,
  });
  const { stdout } = await promisify(execFile)(program, words, { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

const inCluster = (cluster: Cluster) => ['--kubeconfig', kubeconfig, '--context', cluster];
export const apply = (cluster: string, ...items: readonly object[]): void => {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  kubectl(cluster, 'apply', '--server-side', '--field-manager=others', '-f', '-', { input });
};

/** CAs of one root, as "Plug in CA Certificates" says; made by nobody's checkout. */
async function plugIn(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'foreign-ca-'));
  try {
    const made = await ensureTrust(folder, 'others', clusters, root);
    for (const cluster of clusters) {
      const { certificate, key, chain, roots } = made[cluster]!;
      const stringData = {
        ...{ 'ca-cert.pem': certificate, 'ca-key.pem': key, 'cert-chain.pem': chain, 'root-cert.pem': roots },
      };
      const labels = { 'topology.istio.io/network': networkOf(cluster) };
      apply(
        cluster,
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: root, labels } },
        {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: front.namespace, labels: { 'istio.io/rev': revision } },
        },
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cacerts', namespace: root }, stringData },
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Gateways between networks pass the TLS of all services through. */
const crossing = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: { name: 'cross-network', namespace: root },
  spec: {
    selector: { istio: 'crossing' },
    servers: [
      {
        port: { number: 15443, name: 'tls', protocol: 'TLS' },
        tls: { mode: 'AUTO_PASSTHROUGH' },
        hosts: ['*.local'],
      },
    ],
  },
};

/** Gives a cluster's istiod access to another cluster, as its owners do. */
export async function giveRemoteSecret(reader: Cluster, remote: Cluster): Promise<void> {
  const secret = await istioctl('create-remote-secret', ...inCluster(remote), '--name', remote);
  kubectl(reader, 'apply', '-f', '-', { input: secret });
}

/** Installs it in both clusters, or changes its mesh configuration there. */
export async function configureIstio(meshConfig: object): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'foreign-istio-'));
  try {
    await Promise.all(
      clusters.map(async (cluster) => {
        const file = join(folder, `${cluster}.yaml`);
        await writeFile(file, stringify(operator(cluster, meshConfig)));
        await istioctl('install', ...inCluster(cluster), '--filename', file, '--skip-confirmation');
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Installs it in both clusters, which know each other after. */
export async function installIstio(): Promise<void> {
  await plugIn();
  await configureIstio({});
  for (const cluster of clusters) {
    await istioctl('tag', 'set', tag, ...inCluster(cluster), '--revision', revision);
    apply(cluster, crossing);
  }
  await giveRemoteSecret('east', 'west');
  await giveRemoteSecret('west', 'east');
}

/** Removes all of it. */
export async function removeIstio(): Promise<void> {
  await Promise.all(
    clusters.map(async (cluster) => {
      await istioctl('tag', 'remove', tag, ...inCluster(cluster), '--skip-confirmation').catch(
        () => undefined,
      );
      await istioctl('uninstall', ...inCluster(cluster), '--purge', '--skip-confirmation');
      const names = kubectl(cluster, 'get', 'customresourcedefinitions', '-o', 'name').split('\n');
      const theirs = names.filter((name) => name.endsWith('.istio.io'));
      if (theirs.length > 0) kubectl(cluster, 'delete', '--ignore-not-found', ...theirs);
      kubectl(cluster, 'delete', '--ignore-not-found', 'namespace', root, front.namespace);
      kubectl(
        cluster,
        'delete',
        '--ignore-not-found',
        'clusterroles,clusterrolebindings',
        '-l',
        'release=istio',
      );
    }),
  );
}
