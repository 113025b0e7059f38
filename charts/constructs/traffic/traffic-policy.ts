import type { DescService } from '@bufbuild/protobuf';
import { own } from '../../../core/own.ts';
import { keysOf } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import { maxRestingSeconds } from './connection-age.ts';
import { MeshConstruct } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import type { Callee, Method } from '../scope/method.ts';
import { distributionProblems, failoverProblems } from './cluster-problems.ts';
import { Findings } from './findings.ts';
import { limitProblems } from './limit-problems.ts';
import type { TrafficPolicyProps } from './props.ts';
import { ruleProblems } from './rule-problems.ts';

const propKeys = keysOf<TrafficPolicyProps<string, string>>({
  failover: true,
  distribution: true,
  weights: true,
  rules: true,
  connections: true,
  outliers: true,
});

/** A service as its traffic policy sees it: the class `GrpcService`. */
export interface TrafficTarget<S extends DescService, C extends string, V extends string> extends Callee<C> {
  readonly service: S;
  /** Its methods in the order of the proto. */
  readonly methods: readonly Method[];
  /** Clusters its pods run in, in the mesh's order. */
  readonly clusters: readonly C[];
  /** Its versions, in the order they were declared. */
  readonly versions: readonly V[];
  /** Those of its versions that have a pod somewhere. */
  readonly runningVersions: readonly V[];
  /** Whether it has a port for HTTP/1.1. */
  readonly takesHttp: boolean;
  /** Clusters that pods of a version are in; none for one it does not have, or that runs nowhere. */
  versionClusters(version: string): readonly C[];
}

/**
 * How calls to a service travel, in every cluster alike: where they go when a cluster fails, what share each cluster and
 * each version gets, and what is done with the calls of a method or with certain metadata. The service renders it into
 * its DestinationRule and its VirtualService. A service has one at most, as Istio merges neither.
 */
export class TrafficPolicy<
  S extends DescService,
  C extends string,
  V extends string,
> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly props: TrafficPolicyProps<string, string>;
  readonly #service: TrafficTarget<S, C, V>;

  constructor(scope: TrafficTarget<S, C, V>, id: string, props: TrafficPolicyProps<NoInfer<C>, NoInfer<V>>) {
    super(scope, id);
    this.mesh = scope.mesh;
    this.#service = scope;
    this.props = { ...props };
  }

  override problems(): readonly Problem[] {
    const service = this.#service;
    const { where, mesh } = this;
    // Plain JavaScript may put it anywhere, and may say nothing.
    if (!('runningVersions' in service)) {
      return [
        { where, what: 'a traffic policy belongs to a GrpcService', fix: 'pass the service as its scope' },
      ];
    }
    const policies = service.node.children.filter((part) => part instanceof TrafficPolicy);
    const [first] = policies;
    if (first !== undefined && first !== (this as unknown)) {
      const what = `the service already has a traffic policy, ${first.where}, and Istio does not merge them`;
      return [{ where, what, fix: 'declare everything there' }];
    }
    const findings = new Findings(where);
    const props = this.props as Readonly<Record<string, unknown>>;
    const { failover, distribution, weights, rules, connections, outliers } = props;
    findings.mapping('', props, propKeys);
    const routed = [...routedVersions(weights, rules)].flatMap((version) => {
      const placement = service.versionClusters(version);
      return placement.length === 0 ? [] : [{ version, placement }];
    });
    const placed = { placement: service.clusters, clusters: mesh.clusters, routed };
    failoverProblems(findings, placed, failover);
    distributionProblems(findings, placed, distribution);
    if (failover !== undefined && distribution !== undefined) {
      const what = 'cannot be combined with failover: Istio does one or the other';
      findings.add('distribution', { what, fix: 'remove one of the two' });
    }
    const { versions, runningVersions: running } = service;
    weightProblems(findings, versions, running, weights);
    const methods = service.methods;
    const weighted = weights !== undefined;
    const all = Object.entries((weights ?? {}) as Record<string, unknown>).find(([, share]) => share === 100);
    const only = all?.[0] ?? (versions.length === 1 ? versions[0] : undefined);
    const ruled = { service: service.where, methods, versions, running, weighted, only };
    ruleProblems(findings, ruled, rules);
    limitProblems(findings, { connections, outliers }, '', service.takesHttp ? maxRestingSeconds : undefined);
    return findings.problems;
  }

  /** The service renders it, with what it says of itself. */
  override project(): void {
    return;
  }
}

/** What gets calls by a weight, a rule or as a mirror; plain JavaScript may have passed anything. */
function routedVersions(weights: unknown, rules: unknown): ReadonlySet<string> {
  const field = (value: unknown, key: string): unknown =>
    typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)[key]
      : undefined;
  const listed: readonly unknown[] = Array.isArray(rules) ? rules : [];
  const named = [
    ...Object.entries(weights ?? {}).flatMap(([version, share]) => (Number(share) > 0 ? [version] : [])),
    ...listed.flatMap((rule) => [field(rule, 'to'), field(field(rule, 'mirror'), 'to')]),
  ];
  return new Set(named.filter((version) => typeof version === 'string'));
}

function weightProblems(
  findings: Findings,
  versions: readonly string[],
  running: readonly string[],
  value: unknown,
): void {
  const before = findings.problems.length;
  const weights = findings.mapping('weights', value, versions);
  if (weights === undefined) return;
  for (const version of versions.filter((name) => own(weights, name) === undefined)) {
    findings.add('weights', {
      what: `leaves out version ${version}`,
      fix: `add ${version}: 0, or its share`,
    });
  }
  if (findings.problems.length > before) return;
  findings.shares('weights', weights, 100);
  for (const version of versions) {
    if (weights[version] === 0 || running.includes(version)) continue;
    const what = 'the version runs nowhere, as it has 0 replicas';
    findings.add(`weights.${version}`, {
      what,
      received: weights[version],
      fix: 'give it replicas, or no share',
    });
  }
}
