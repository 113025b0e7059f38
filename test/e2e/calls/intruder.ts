import type { Caller } from './call.ts';
import { kubectl } from '../checkout/lab.ts';

/**
 * Starts a pod of the mesh, with a proxy and an account of its own that nobody named, and waits until it is ready. It has no Sidecar resource, so that
 * its proxy knows all that is visible in the namespace.
 */
export function startIntruder(cluster: string, image: string): Caller {
  const restricted = {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  };
  const metadata = { name: 'intruder', namespace: 'shop' };
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {
        serviceAccountName: 'intruder',
        // For the whole pod: the containers that are injected count, too.
        securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'intruder',
            image,
            command: ['/usr/bin/node', '-e', 'setInterval(() => {}, 1000)'],
            securityContext: restricted,
          },
        ],
      },
    },
  ];
  kubectl(cluster, 'apply', '-f', '-', {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });
  kubectl(cluster, '-n', 'shop', 'wait', '--for=condition=Ready', 'pod/intruder', '--timeout=120s');
  return { cluster, namespace: 'shop', target: 'pod/intruder', container: 'intruder' };
}

/** Ends it. */
export function removeIntruder(cluster: string): void {
  const objects = ['pod/intruder', 'serviceaccount/intruder'];
  kubectl(
    cluster,
    '-n',
    'shop',
    'delete',
    ...objects,
    '--ignore-not-found',
    '--wait=false',
    '--grace-period=1',
  );
}
