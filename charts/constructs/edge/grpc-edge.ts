import type { DescService } from '@bufbuild/protobuf';
import type { IstioSpec } from '../../model/istio-models.ts';
import type { Caller, Method } from '../scope/method.ts';
import type { Ingress, Mesh } from '../scope/mesh-construct.ts';
import type { Projection } from '../scope/projection.ts';
import type { NamedRoute } from '../traffic/virtual-service.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { contentType, grpcContent } from './grpc-access.ts';
import { connectionsFilter } from './guards.ts';
import { connectionsOfService, connectionsToService } from './shared-connections.ts';

const stage = '40-services';

/** The ingress gateways as callers of the services that native gRPC clients call through them. */
export function gatewayAsCaller({ ingress, clusters }: Mesh): Caller {
  const { where, principal, namespace } = ingress;
  return { where, principal, namespace: { name: namespace }, clusters: clusters.map(({ name }) => name) };
}

/** An edge as far as native gRPC calls go. */
export interface GrpcEdge {
  /** Unlike every other edge's of the mesh. */
  readonly id: string;
  readonly name: string;
  readonly where: string;
  readonly methods: readonly Method[];
  /** Metadata of claims that other edges pass on. */
  readonly foreignClaims: readonly string[];
}

/**
 * The header of a client's deadline (gRPC over HTTP/2, "Timeout"). It ends at the ingress gateways, which keep the deadline
 * ({@link deadlines}) and take the call back from the service. Whoever inside knew of it would end calls by it: the proxy beside the
 * service, with an answer that counts as 504, and the proxy beside whatever calls that service makes in its turn, as calls that were not
 * answered in time. Both take pods out of use for everybody who calls them from there.
 */
export const clientDeadline = 'grpc-timeout';

/** Routes to the services themselves, for what is a native call of an exposed method. */
export function grpcRoutes({ id, methods, foreignClaims }: GrpcEdge): readonly NamedRoute[] {
  return ownServicesOf(methods).flatMap((service) =>
    service.routesAt({
      methods: methods.filter((method) => method.service === (service as object)),
      name: `${id} grpc ${service.name}.${service.namespace.name}`,
      headers: { [contentType]: { regex: grpcContent } },
      // A token of another edge's issuer, for whatever audience, is read here as well.
      removed: [...foreignClaims, clientDeadline],
    }),
  );
}

/**
 * Adds how the ingress gateways call the services of an edge, and take their calls: room for every stream on connections that clients
 * share, and the deadlines of clients.
 * @param routes - those of {@link grpcRoutes}
 * @param earlier - methods that edges declared before it take native calls of: for their services it is there already
 */
export function addGrpc(
  into: Projection,
  ingress: Pick<Ingress<string>, 'selector' | 'namespace'>,
  edge: GrpcEdge,
  routes: readonly NamedRoute[],
  earlier: readonly Method[],
): void {
  const { where, id, methods } = edge;
  const { selector, namespace } = ingress;
  const known = servicesOf(earlier);
  for (const service of ownServicesOf(methods)) {
    const [port, podPort] = [service.ports.grpc, service.containerPorts.grpc];
    if (known.includes(service) || port === undefined || podPort === undefined) continue;
    const { name: app, namespace: own } = service;
    const beside = { name: connectionsFilter(app), namespace: own.name, app };
    into.addIstio(stage, where, 'EnvoyFilter', beside, connectionsOfService(service.podLabels, podPort));
    const to = { host: service.host, port, kept: service.callerConnections };
    const atGateways = { name: connectionsFilter(`${app}.${own.name}`), namespace, app };
    into.addIstio(stage, where, 'EnvoyFilter', atGateways, connectionsToService(selector, to));
  }
  const metadata = { name: `${id}.deadlines`, namespace, app: edge.name };
  into.addIstio(stage, where, 'EnvoyFilter', metadata, deadlines(selector, routes));
}

/**
 * An EnvoyFilter body for the deadlines of clients. By default a proxy ends a call whose `grpc-timeout` is
 * over as one that the server did not answer in time, so that a client with deadlines of a millisecond has every pod taken out of use, for
 * everybody. By `max_stream_duration` it ends the call as the client's own, with DEADLINE_EXCEEDED. The limit of a rule ends it that way, too:
 * beside `max_stream_duration`, Envoy does not look at `timeout`.
 */
export function deadlines(
  labels: Readonly<Record<string, string>>,
  routes: readonly Pick<NamedRoute, 'name' | 'timeout'>[],
): IstioSpec<'EnvoyFilter'> {
  return {
    workloadSelector: { labels },
    configPatches: routes.map(({ name, timeout = '0s' }) => ({
      applyTo: 'HTTP_ROUTE',
      match: { context: 'GATEWAY', routeConfiguration: { vhost: { route: { name } } } },
      patch: {
        operation: 'MERGE',
        value: {
          route: {
            max_stream_duration: { max_stream_duration: timeout, grpc_timeout_header_max: timeout },
          },
        },
      },
    })),
  };
}

function servicesOf(methods: readonly Method[]): readonly Method['service'][] {
  return [...new Set(methods.map(({ service }) => service))];
}

function ownServicesOf(methods: readonly Method[]): readonly GrpcService<DescService, string, string>[] {
  return servicesOf(methods).filter(
    (service): service is Method['service'] & GrpcService<DescService, string, string> =>
      service instanceof GrpcService,
  );
}
