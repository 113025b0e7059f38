import { openApiPaths } from '../../../apps/config/reserved-paths.ts';
import type { RateLimit } from '../rate-limits/rate-limit.ts';
import type { GatewayPort } from '../scope/gateway-address.ts';
import type { Ingress } from '../scope/mesh-construct.ts';
import type { Method } from '../scope/method.ts';
import type { Projection } from '../scope/projection.ts';
import type { Cors } from './cors.ts';
import { edgePolicy } from './edge-access.ts';
import { hostLimits, routeLimits, sidecarLimits } from './edge-limits.ts';
import { hostMatch, hostMatchByAnyPort, type Hosted } from './hosts.ts';
import { requestAuthentication, type Jwt } from './jwt.ts';
import { connectionsOf, connectionsTo } from './shared-connections.ts';
import type { OpenRoute } from './web-routes.ts';
import { redirects, type Tls } from './tls.ts';

/** An edge as far as access to it goes. */
export interface Guarded extends Hosted {
  /** Unlike every other edge's of the mesh. */
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  /** Host name of its Service. */
  readonly host: string;
  /** Labels of its pods. */
  readonly pods: Readonly<Record<string, string>>;
  /** Where its pods take requests. */
  readonly port: number | undefined;
  /** Those that are served by their google.api.http paths. */
  readonly methods: readonly Method[];
  /** Those that native gRPC clients may call. */
  readonly grpc: readonly Method[];
  /** Those of services over plain HTTP. */
  readonly routes: readonly OpenRoute[];
  readonly jwt: Jwt<string> | undefined;
  readonly rateLimits: readonly RateLimit<string>[];
  readonly cors: Cors | undefined;
  readonly openapi: boolean | undefined;
  readonly tls: Tls | undefined;
  readonly ingress: Ingress<string>;
  /** Every edge of the mesh. */
  readonly edges: readonly Hosted[];
  /** Whose tokens each of them takes. */
  readonly tokens: readonly (Jwt<string> | undefined)[];
}

const stage = '40-services';

/**
 * Adds what decides who may call an edge, and how often: on the ingress gateways of the mesh, which refuse before anything comes in.
 * Where those belong to others, on the proxy beside the edge: the first policy that allows something on a gateway denies all else
 * there, for every host of others.
 */
export function addGuards(into: Projection, edge: Guarded): void {
  if (edge.ingress.isJoined) guardAtEdge(into, edge);
  else guardAtGateways(into, edge);
  const { where, name, namespace, port, pods } = edge;
  if (port === undefined) return;
  const beside = { name: connectionsFilter(name), namespace, app: name };
  into.addIstio(stage, where, 'EnvoyFilter', beside, connectionsOf(pods, port));
}

function guardAtGateways(into: Projection, edge: Guarded): void {
  const { where, id, name, ingress, methods, grpc, routes, jwt, tls, hosts, cors, openapi, edges } = edge;
  const { selector } = ingress;
  // In the gateways' namespace are the policies of every edge, whatever namespace it is in.
  const metadata = { name: id, app: name, namespace: ingress.namespace };
  const at = (port: GatewayPort) => ({
    port: port.targetPort,
    hosts: hostMatch(edge, ingress.portsOf(port), edges),
  });
  const server = tls === undefined ? ingress.http : ingress.https;
  const access = edgePolicy({
    ...{ pods: selector, methods, grpc, routes, jwt },
    ...at(server),
    ...(tls === undefined || hosts.includes('*') ? {} : { serverNames: hosts }),
    preflights: cors !== undefined,
    ...(openapi === true && methods.length > 0 ? { pages: openApiPaths } : {}),
    ...(redirects(tls) ? { redirect: at(ingress.http) } : {}),
  });
  into.addIstio(stage, where, 'AuthorizationPolicy', metadata, access);
  if (jwt !== undefined) {
    const authentication = requestAuthentication(selector, jwt, edge.tokens);
    into.addIstio(stage, where, 'RequestAuthentication', metadata, authentication);
  }
  if (edge.rateLimits.length > 0) {
    const limits =
      grpc.length + routes.length === 0
        ? routeLimits(selector, id, edge, jwt)
        : hostLimits(
            selector,
            hosts.map((host) => `${host}:${server.port}`),
            edge,
            jwt,
          );
    into.addIstio(stage, where, 'EnvoyFilter', metadata, limits);
  }
  if (edge.port === undefined) return;
  const connections = connectionsTo(selector, { host: edge.host, port: edge.port });
  into.addIstio(stage, where, 'EnvoyFilter', { ...metadata, name: connectionsFilter(id) }, connections);
}

function guardAtEdge(into: Projection, edge: Guarded): void {
  const { where, name, namespace, pods, port, methods, jwt, cors, openapi } = edge;
  if (port === undefined) return;
  const metadata = { name, namespace };
  const access = edgePolicy({
    ...{ pods, through: edge.ingress.principal, methods, jwt, port },
    hosts: hostMatchByAnyPort(edge),
    preflights: cors !== undefined,
    ...(openapi === true ? { pages: openApiPaths } : {}),
  });
  into.addIstio(stage, where, 'AuthorizationPolicy', metadata, access);
  if (jwt !== undefined) {
    const authentication = requestAuthentication(pods, jwt, [jwt]);
    into.addIstio(stage, where, 'RequestAuthentication', metadata, authentication);
  }
  if (edge.rateLimits.length > 0) {
    const limits = { name: `${name}.limits`, namespace, app: name };
    into.addIstio(stage, where, 'EnvoyFilter', limits, sidecarLimits(pods, port, edge, jwt));
  }
}

/** With a dot more than the names of other filters have, as names are DNS labels. */
export function connectionsFilter(of: string): string {
  return `${of}.connections`;
}
