import { readFileSync } from 'node:fs';
import { kubectl } from '../checkout/lab.ts';

const program = readFileSync(new URL('./collector-program.cjs', import.meta.url), 'utf8');

const namespace = 'observability';
const name = 'otel-collector';

/** Host that every cluster resolves to its own collector. */
export const collectorHost = `${name}.${namespace}.svc.cluster.local`;

/** A span as a proxy exported it. */
export interface Span {
  /** The proxy's own name: `orders.shop`. */
  readonly service: string;
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Runs a collector in a namespace outside the mesh, and waits until it is ready. */
export function startCollector(cluster: string, image: string): void {
  const labels = { app: name };
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: labels, ports: [{ name: 'otlp', port: 4317 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name,
            image,
            command: ['/usr/bin/node', '-e', program],
            readinessProbe: { tcpSocket: { port: 4317 }, periodSeconds: 1 },
          },
        ],
      },
    },
  ];
  // Of an interrupted run.
  kubectl(cluster, 'delete', 'namespace', namespace, '--ignore-not-found');
  kubectl(cluster, 'apply', '-f', '-', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  kubectl(cluster, '-n', namespace, 'wait', '--for=condition=Ready', `pod/${name}`, '--timeout=90s');
}

export function stopCollector(cluster: string): void {
  kubectl(cluster, 'delete', 'namespace', namespace, '--ignore-not-found', '--wait=false');
}

/** All spans that a cluster's collector has received. */
export function spansIn(cluster: string): readonly Span[] {
  const lines = kubectl(cluster, '-n', namespace, 'logs', name).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Span);
}

/** Fetches over HTTP from the collector's pod: outside the mesh, inside the cluster's network. */
export function fetchFromOutside(cluster: string, urls: readonly string[]): readonly string[] {
  const fetchAll = `
    Promise.all(process.argv.slice(1).map(async (url) => (await fetch(url)).text()))
      .then((texts) => process.stdout.write(JSON.stringify(texts)));`;
  const exec = ['-n', namespace, 'exec', name, '--', '/usr/bin/node', '-e', fetchAll, ...urls];
  return JSON.parse(kubectl(cluster, ...exec)) as string[];
}
