import type { ProtoComments } from '../../apps/config/descriptors/descriptor-set.ts';
import type { ClusterProps } from './scope/cluster.ts';
import type { Gateways } from './scope/gateway-address.ts';
import type { ExistingPlatform, Platform } from './scope/platform.ts';
import type { Tracing } from './scope/tracing.ts';
import type { TrafficDefaults } from './scope/traffic-defaults.ts';

/** Properties of a Mesh. */
export interface MeshProps<C extends string> {
  /** Project root, as a path: app folders are relative to it. */
  readonly root: string;
  /** SPIFFE trust domain that every workload identity of the mesh is in, such as `shop.example`; on an Istio of others, theirs. */
  readonly trustDomain: string;
  /**
   * The clusters by name, at least one. Those of environments with different clusters may be given as they are, a union: the
   * mesh then knows the names of all, and synth holds each environment to its own.
   */
  // eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- the compiler infers C from this form
  readonly clusters: { readonly [Name in C]?: ClusterProps };
  /** Where the mesh runs: `lab`, `released(...)`, or on an Istio of others, `existing(...)`. */
  readonly platform: Platform | ExistingPlatform;
  /** How each cluster's gateways are reached. @default - by load balancers, which let in what the platform says */
  readonly gateways?: Gateways;
  /** Where the proxies send spans. @default - none are made */
  readonly tracing?: Tracing;
  /** Time-outs, retries and outliers of calls of which neither a namespace nor a TrafficPolicy says otherwise. @default - none, and Istio's outliers as each key says */
  readonly traffic?: TrafficDefaults;
  /** What the protos say in comments, for the HTTP gateways' documents: `comments` of gen/comments.js. @default - nothing */
  readonly comments?: ProtoComments;
}
