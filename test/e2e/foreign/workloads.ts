import { readFileSync } from 'node:fs';
import { kubectl } from '../checkout/lab.ts';
import { loadCommand, type Flow } from '../load/load-mesh.ts';
import type { LoadCaller } from '../load/steady-load.ts';
import { apply, clusters, front, tag, type Cluster } from './istio.ts';

/** Namespaces of others: one theirs alone, one in which a workload of ours stands, too. */
export const theirs = 'others';
export const shared = 'team-a';
/** Their workload that calls all the while. */
export const caller: LoadCaller = { namespace: theirs, name: 'calling', container: 'app' };

const echo = readFileSync(new URL('../calls/echo-program.cjs', import.meta.url), 'utf8');
const port = 50051;
const path = '/others.v1.Anything/Call';
const addressOf = (name: string, namespace: string) => `${name}.${namespace}.svc.cluster.local:${port}`;

/** From each cluster to what stands in the other one alone, and to the shared namespace. */
export const flows: readonly Flow[] = clusters.flatMap((from) => {
  const to = clusters.filter((name) => name !== from);
  return [
    ...to.map((name) => ({ name: `${from}->${name}`, to: addressOf(`in-${name}`, theirs) })),
    { name: `${from}->${shared}`, to: addressOf('ledger', shared) },
  ].map(({ name, to: address }) => ({ name, from, url: `http://${address}`, path, perSecond: 10 }));
});

interface App {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly command: readonly string[];
}

function deployment(cluster: Cluster, { name, namespace, image, command }: App) {
  const labels = { 'app.kubernetes.io/name': name };
  const env = [
    { name: 'CLUSTER_NAME', value: cluster },
    { name: 'GRPC_PORT', value: String(port) },
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: { 'proxy.istio.io/config': 'holdApplicationUntilProxyStarts: true' },
        },
        spec: {
          serviceAccountName: name,
          containers: [{ name: 'app', image, command, env, ports: [{ containerPort: port }] }],
        },
      },
    },
  };
}

/** Nobody else runs as it. */
function account({ name, namespace }: App) {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
}

function service(name: string, namespace: string) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { 'app.kubernetes.io/name': name }, ports: [{ name: 'grpc', port }] },
  };
}

/** Namespaces and workloads of others: plain objects, as somebody wrote them who knows nothing of us. */
export function deployTheirs(image: string): void {
  for (const cluster of clusters) {
    const namespaces = [theirs, shared].map((name) => {
      return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'istio.io/rev': tag } } };
    });
    const answer = ['/usr/bin/node', '-e', echo];
    const apps = [
      { name: `in-${cluster}`, namespace: theirs, image, command: answer },
      { name: 'ledger', namespace: shared, image, command: answer },
      { ...caller, image, command: ['/usr/bin/node', ...loadCommand(flows)] },
    ];
    apply(
      cluster,
      ...namespaces,
      ...clusters.map((name) => service(`in-${name}`, theirs)),
      service('ledger', shared),
      ...apps.map(account),
      ...apps.map((app) => deployment(cluster, app)),
    );
  }
  for (const cluster of clusters)
    for (const namespace of [theirs, shared])
      kubectl(
        cluster,
        '-n',
        namespace,
        'wait',
        '--for=condition=Available',
        '--timeout=180s',
        'deployment',
        '--all',
      );
}

/** The host that they serve at the gateways that an edge joins. */
export const theirHost = 'others.example';

/** Serves {@link theirHost} there: by a workload of the cluster. */
export function serveTheirHost(): void {
  const metadata = { name: 'others', namespace: theirs };
  for (const cluster of clusters) {
    const server = { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: [theirHost] };
    const destination = { host: `in-${cluster}.${theirs}.svc.cluster.local`, port: { number: port } };
    const apiVersion = 'networking.istio.io/v1';
    apply(
      cluster,
      { apiVersion, kind: 'Gateway', metadata, spec: { selector: { istio: front.name }, servers: [server] } },
      {
        ...{ apiVersion, kind: 'VirtualService', metadata },
        spec: { hosts: [theirHost], gateways: [metadata.name], http: [{ route: [{ destination }] }] },
      },
    );
  }
}

export function removeTheirs(): void {
  for (const cluster of clusters)
    kubectl(cluster, 'delete', '--ignore-not-found', 'namespace', theirs, shared);
}
