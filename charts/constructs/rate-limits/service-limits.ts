import type { DescService } from '@bufbuild/protobuf';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import { callProblems, isMethod, pathOf } from '../access/authorization.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { given, MeshConstruct } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import type { Projection } from '../scope/projection.ts';
import { byIdentity, inboundLimits, type LocalLimit } from './local-rate-limit.ts';
import { nameOf, rateLimitProblems, rateOf, type RateLimit } from './rate-limit.ts';

/** Properties of {@link ServiceLimits}. */
export interface ServiceLimitsProps<C extends string> {
  /** At least one. A client is the workload that calls, by its SPIFFE identity. */
  readonly rateLimits: readonly RateLimit<C>[];
}

const propKeys = keysOf<ServiceLimitsProps<string>>({ rateLimits: true });

/**
 * Rate limits of a gRPC service, held by the proxy of each of its pods: calls over a limit end with
 * RESOURCE_EXHAUSTED and do not reach the app. A stream counts as one call. Calls that access refuses do not count.
 */
export class ServiceLimits<S extends DescService, C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly service: GrpcService<S, C, string>;
  readonly rateLimits: readonly RateLimit<C>[];
  /** Its properties as they were given. */
  readonly #props: unknown;

  constructor(scope: GrpcService<S, C, string>, id: string, props: ServiceLimitsProps<NoInfer<C>>) {
    super(scope, id);
    this.#props = props;
    this.mesh = scope.mesh;
    this.service = scope;
    this.rateLimits = given(props).rateLimits;
  }

  override problems(): readonly Problem[] {
    const { where, service, rateLimits } = this;
    // Plain JavaScript may put it anywhere.
    if (!((service as unknown) instanceof GrpcService)) {
      const fix = 'pass the service as its scope';
      return [{ where, what: 'service limits belong to a GrpcService', fix }];
    }
    const problems = [...unknownKeys(where, this.#props, propKeys), ...rateLimitProblems(where, rateLimits)];
    if (!Array.isArray(rateLimits)) return problems;
    if (rateLimits.length === 0)
      problems.push({
        where: `${where}: rateLimits`,
        what: 'is empty',
        received: [],
        fix: 'add one, or remove the construct',
      });
    rateLimits.forEach((limit: RateLimit<C> | undefined, index) => {
      const method: unknown = limit?.method;
      if (method === undefined) return;
      const at = `rateLimits[${index}].method`;
      const wrong = callProblems(where, this.mesh, [method], () => at);
      problems.push(...wrong);
      if (wrong.length > 0 || !isMethod(method) || method.service === (service as object)) return;
      const allowed = service.methods.map(({ descriptor }) => descriptor.localName).join(', ');
      const what = `is not a method of ${service.where}`;
      problems.push({ where: `${where}: ${at}`, what, received: nameOf(method), allowed });
    });
    const first = service.node.children.find((part) => part instanceof ServiceLimits);
    if (first instanceof ServiceLimits && first !== (this as object)) {
      problems.push({
        where,
        what: `the service already has limits: ${first.where}`,
        fix: 'declare all of them there',
      });
    }
    return problems;
  }

  override project(into: Projection): void {
    const { name, namespace, containerPorts, podLabels } = this.service;
    const { grpc } = containerPorts;
    if (grpc === undefined) return;
    into.addIstio(
      '40-services',
      this.where,
      'EnvoyFilter',
      // With a dot: unlike the name of any workload's own filters.
      { name: `${name}.limits`, app: name, namespace: namespace.name },
      inboundLimits(podLabels, grpc, this.rateLimits.map(localLimit)),
    );
  }
}

function localLimit(limit: RateLimit<string>): LocalLimit {
  const { method, by } = limit;
  return {
    name: `${nameOf(method)} by ${by}`,
    requests: method === undefined ? [] : [[{ name: ':path', string_match: { exact: pathOf(method) } }]],
    ...(by === 'client' ? { client: byIdentity } : {}),
    ...rateOf(limit),
  };
}
