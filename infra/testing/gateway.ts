import { eastWestGateway } from '../../charts/constructs/scope/names.ts';
import type { KubeApi } from './kube-api.ts';
import type { RunInPod } from './exec-server.ts';

const { name, namespace, selector } = eastWestGateway;

/** What Go's net/http says when an east-west gateway is asked for HTTPS, as seen of Envoy in the lab. */
export const cutOff = 'read tcp 10.0.0.2:45804->192.0.2.1:15443: read: connection reset by peer';

/** The pod of a cluster's east-west gateway. */
export const gatewayPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${name}-1`, namespace, labels: { istio: selector } },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
};

/** Gives a cluster an east-west gateway with this status of its Service, from whose pod the others' can be tried. */
export function addGateway(api: KubeApi, ingress: readonly object[]): void {
  api.put({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { istio: selector } },
    status: { loadBalancer: { ingress } },
  });
  api.put(gatewayPod);
  api.run = tryFrom(() => cutOff, api.run);
}

/**
 * `pilot-agent wait` in the gateway's pod: ends with what Go's net/http says of a URL, or well when it is answered with 200.
 * @param otherwise - runs programs in other pods
 */
export function tryFrom(error: (url: string) => string | undefined, otherwise?: RunInPod): RunInPod {
  return (pod, command) => {
    if (pod !== gatewayPod.metadata.name) return otherwise?.(pod, command);
    const url = command[command.indexOf('--url') + 1] ?? '';
    const said = error(url);
    if (said === undefined) return { stdout: 'Envoy is ready!\n' };
    const last = `Last error: Get "${url}": ${said}`;
    const notice = '2026/11/23 03:39:50 INFO memory is not limited, skipping\n';
    return {
      stderr: `${notice}Error: timeout waiting for Envoy proxy to become ready. ${last}\n`,
      exitCode: 255,
    };
  };
}
