import type { TcpProbe, Probes } from '../../../apps/config/probes.ts';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Cluster } from '../scope/cluster.ts';
import { failoverProblems } from '../traffic/cluster-problems.ts';
import { Findings } from '../traffic/findings.ts';
import type { TrafficPolicyProps } from '../traffic/props.ts';
import { keysIn } from '../scope/keys-in.ts';
import { podsKeys, type PodsProps } from '../workload/pods/pods.ts';
import { containerKeys, type ContainerProps } from '../workload/service-props.ts';

/** Further attempts of requests that may be made again, by the caller's proxy. */
export interface HttpRetries {
  /** After the first, 1 to 10. */
  readonly attempts: number;
  /** Limit of each attempt, in milliseconds. @default - `timeoutMs`, for all attempts together */
  readonly perTryTimeoutMs?: number;
}

/** Properties of an `HttpService`: the image of its server, its port, where it runs, and how requests to it travel. */
export interface HttpServiceProps<C extends string> extends ContainerProps, PodsProps<NoInfer<C>> {
  /** Port of the container on which its server takes HTTP/1.1 in plaintext, 1024 or higher. */
  readonly port: number;
  /** Port of the Kubernetes Service, by which it is called. @default - that of the container */
  readonly servicePort?: number;
  /** Clusters its pods run in. @default - every cluster of the mesh */
  readonly placement?: readonly NoInfer<C>[];
  /** How the kubelet asks the container whether it has started, may get requests and works: the same way, or each. @default { tcp: {} } */
  readonly probes?: TcpProbe | Partial<Probes<TcpProbe>>;
  /**
   * Where requests made in a cluster go when it has no healthy pod, as in a TrafficPolicy.
   * @default - the next region in the order of the mesh's clusters, then all others alike
   */
  readonly failover?: TrafficPolicyProps<NoInfer<C>, string>['failover'];
  /** Limit for a whole request with its answer and retries, in milliseconds; then the caller gets 504. @default - none */
  readonly timeoutMs?: number;
  /**
   * Further attempts of GET, HEAD, OPTIONS, PUT and DELETE, which are idempotent (RFC 9110, section 9.2.2), where a connection fails or
   * breaks before there is an answer, and where that is 503. Others are tried again only where no server has seen them.
   * @default - all requests, only where no server has seen them
   */
  readonly retries?: HttpRetries;
}

/** The keys of all properties of an HttpService. */
const propKeys = keysOf<HttpServiceProps<string>>({
  ...containerKeys,
  ...podsKeys,
  port: true,
  servicePort: true,
  placement: true,
  failover: true,
  timeoutMs: true,
  retries: true,
  probes: true,
});
const retryKeys = keysOf<HttpRetries>({ attempts: true, perTryTimeoutMs: true });

/** The longest time-out that may be asked for: a day, in milliseconds. */
const longest = 86_400_000;

/** What of the properties belongs to the service itself; plain JavaScript may pass anything. */
export function propProblems(
  where: string,
  props: unknown,
  placement: readonly string[],
  clusters: readonly Cluster[],
): readonly Problem[] {
  const { failover, timeoutMs, retries } = keysIn(props);
  const findings = new Findings(where);
  failoverProblems(findings, { placement, clusters, routed: [] }, failover ?? undefined);
  findings.whole('timeoutMs', timeoutMs ?? undefined, 1, longest);
  const tried = findings.mapping('retries', retries ?? undefined, retryKeys);
  if (tried !== undefined) {
    if (tried['attempts'] === undefined) {
      findings.add('retries.attempts', { what: 'missing', allowed: 'a whole number from 1 to 10' });
    }
    findings.whole('retries.attempts', tried['attempts'], 1, 10);
    findings.whole('retries.perTryTimeoutMs', tried['perTryTimeoutMs'], 1, longest);
  }
  return [...unknownKeys(where, props, propKeys), ...findings.problems];
}
