import { readFileSync } from 'node:fs';
import type { Caller } from './call.ts';
import { kubectl } from '../checkout/lab.ts';

const program = readFileSync(new URL('./echo-program.cjs', import.meta.url), 'utf8');

/** Port of the echo server outside the mesh. */
export const outsidePort = 9000;

/** A pod outside the mesh, in a namespace without injection: it answers in plaintext, and calls can be made from it. */
export interface Outsider {
  readonly caller: Caller;
  /** IP address in its cluster's pod network. */
  readonly address: string;
}

const namespace = 'default';
const name = 'outside';

/** Starts the pod and waits until it is ready; `removeOutsider` ends it. */
export function startOutsider(cluster: string, image: string): Outsider {
  removeOutsider(cluster);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { 'sidecar.istio.io/inject': 'false' } },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name,
          image,
          command: ['/usr/bin/node', '-e', program],
          env: [
            { name: 'CLUSTER_NAME', value: cluster },
            { name: 'POD_NAME', value: name },
            { name: 'GRPC_PORT', value: String(outsidePort) },
          ],
          readinessProbe: { grpc: { port: outsidePort }, periodSeconds: 1 },
        },
      ],
    },
  };
  kubectl(cluster, 'apply', '-f', '-', { input: JSON.stringify(pod) });
  kubectl(cluster, '-n', namespace, 'wait', '--for=condition=Ready', `pod/${name}`, '--timeout=90s');
  const address = kubectl(cluster, '-n', namespace, 'get', `pod/${name}`, '-o', 'jsonpath={.status.podIP}');
  return { caller: { cluster, namespace, target: `pod/${name}`, container: name }, address };
}

/** Ends the pod, and waits until its processes are gone: they are the machine's, which later suites look at. */
export function removeOutsider(cluster: string): void {
  kubectl(cluster, '-n', namespace, 'delete', `pod/${name}`, '--ignore-not-found', '--grace-period=1');
}
