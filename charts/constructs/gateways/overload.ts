import { createHash } from 'node:crypto';
import { parseQuantity } from '../../../apps/config/quantity.ts';

/**
 * Envoy's share of the container's memory. The rest is for the agent beside it, for code and threads, and for what the allocator
 * keeps between two allocations, which Istio's proxies do not count (`fixed_heap_use_allocated` in `pkg/bootstrap/config.go`).
 */
const heapShare = 0.7;

/**
 * What a connection has of the heap at most, on the average, in bytes: what waits in it either way ({@link bufferBytes}).
 */
const bytesOfConnection = 64 * 2 ** 10;

/** How much of a connection may wait in a proxy, each way, before the side that sends is held back. Bytes. */
export const bufferBytes = 32 * 2 ** 10;

/** How much a gateway takes before it refuses more. */
export interface Capacity {
  /** Bytes of memory that Envoy allocates. */
  readonly heapBytes: number;
  /** Connections of clients, over all its ports. */
  readonly connections: number;
}

/**
 * What a gateway holds in its container.
 * @param memory - the container's limit, a Kubernetes quantity; one that is none is the platform's problem, told by its rules
 */
export function capacityOf(memory: string): Capacity {
  const heapBytes = Math.floor((parseQuantity(memory) ?? 0) * heapShare);
  return { heapBytes, connections: Math.floor(heapBytes / bytesOfConnection) };
}

/** Name of the monitor that triggers go by. */
const fixedHeap = 'envoy.resource_monitors.fixed_heap';

/**
 * Part of a gateway's bootstrap: before the kernel ends the whole process for its memory, with every connection, Envoy gives
 * back what it does not use, ends connections after their next answer, answers new requests with 503, and takes no new connection.
 * Envoy adds it to Istio's, whose overload manager counts connections only
 * (https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge,
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager).
 */
export function overloadBootstrap({ heapBytes }: Capacity): object {
  const from = (value: number) => [{ name: fixedHeap, threshold: { value } }];
  return {
    overload_manager: {
      refresh_interval: '0.25s',
      resource_monitors: [
        {
          name: fixedHeap,
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig',
            max_heap_size_bytes: heapBytes,
          },
        },
      ],
      actions: [
        { name: 'envoy.overload_actions.shrink_heap', triggers: from(0.9) },
        { name: 'envoy.overload_actions.disable_http_keepalive', triggers: from(0.92) },
        { name: 'envoy.overload_actions.stop_accepting_requests', triggers: from(0.95) },
      ],
      loadshed_points: [{ name: 'envoy.load_shed_points.tcp_listener_accept', triggers: from(0.98) }],
    },
  };
}

/** What has a gateway's pod start with the limits: annotations, and the content of the ConfigMap that they name. */
export interface OverloadLimits {
  readonly annotations: Readonly<Record<string, string>>;
  /** Metadata of the proxy, which Istio's own bootstrap reads. */
  readonly proxyMetadata: Readonly<Record<string, string>>;
  /** Why a piece of bootstrap is let pass, by which a pod could go past its proxy. */
  readonly reason: string;
  readonly configMap: { readonly name: string; readonly data: Readonly<Record<string, string>> };
}

/**
 * The limits of a gateway as Istio lets a pod have them: the heap's by a piece of bootstrap
 * (`sidecar.istio.io/bootstrapOverride`), that of connections by metadata, as a bootstrap with two monitors of one name is refused.
 * @param gateway - name of its Deployment
 * @param memory - the container's limit
 */
export function overloadLimits(gateway: string, memory: string): OverloadLimits {
  const capacity = capacityOf(memory);
  const bootstrap = JSON.stringify(overloadBootstrap(capacity), undefined, 2);
  const name = `${gateway}-bootstrap`;
  return {
    annotations: {
      'sidecar.istio.io/bootstrapOverride': name,
      // A proxy reads it when it starts.
      'checksum/bootstrap': createHash('sha256').update(bootstrap).digest('hex').slice(0, 12),
    },
    proxyMetadata: { ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: String(capacity.connections) },
    reason: reasonOf(name),
    configMap: { name, data: { 'custom_bootstrap.json': `${bootstrap}\n` } },
  };
}

const reasonOf = (configMap: string) => `ConfigMap ${configMap} has nothing but limits of memory`;

/** Whether a reason for the exception `behind-proxy` is the mesh's own, of its gateways. */
export function isOverloadReason(reason: string): boolean {
  return reason === reasonOf(/^ConfigMap (\S+-bootstrap) /.exec(reason)?.[1] ?? '');
}
