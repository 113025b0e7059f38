import type { DescService } from '@bufbuild/protobuf';
import type { k8s } from 'cdk8s-plus-28';
import { isForeign } from '../../../apps/config/app-config.ts';
import { unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import type { WorkloadModel } from '../../model/mesh-model.ts';
import { patternsOf } from '../../../http-rule/pattern.ts';
import type { Grant } from '../access/authorization.ts';
import { tellCallee } from '../access/caller-record.ts';
import { appContainer } from '../workload/container.ts';
import { GatewayDescriptors } from '../http/gateway-descriptors.ts';
import { claimVariables, httpGatewayApp, upstreams } from '../http/http-transcoding.ts';
import type { Callee, Method, MethodKind } from '../scope/method.ts';
import type { ServiceRoute } from '../scope/service-route.ts';
import type { DeploymentPlan } from '../workload/deployment.ts';
import { given } from '../scope/mesh-construct.ts';
import type { Namespace } from '../scope/mesh-construct.ts';
import type { Projection } from '../scope/projection.ts';
import { rateLimitProblems, rateOf, type RateLimit } from '../rate-limits/rate-limit.ts';
import { ServiceLimits } from '../rate-limits/service-limits.ts';
import { gatewayOutliers, type Destined, type OutlierDetection } from '../traffic/destination-rule.ts';
import { defaultRetries } from '../traffic/virtual-service.ts';
import { exportTo } from '../scope/visibility.ts';
import { isFaulty, Workload } from '../workload/workload.ts';
import { corsPolicy, corsProblems, webSocketOrigins } from './cors.ts';
import { edgeModel } from './edge-model.ts';
import { overlapProblems, preflightProblems } from './edge-access.ts';
import { exposedMethods, exposedRoutes, exposeProblems, fullName, isSameMethod, withPath } from './expose.ts';
import { longestWaitMs, waitProblems } from './gateway-waits.ts';
import { addGrpc, gatewayAsCaller, grpcRoutes, type GrpcEdge } from './grpc-edge.ts';
import { addGuards } from './guards.ts';
import { issuerProblems } from './issuers.ts';
import { hostProblems, joinedHostProblems } from './hosts.ts';
import { exposedProblems, jwtProblems } from './jwt-rules.ts';
import { requirementOf } from './jwt.ts';
import { propKeys, type HttpEdgeProps } from './props.ts';
import { protocolProblems, takesGrpc, type EdgeProtocol } from './protocols.ts';
import { sharedProblems } from './shared-connections.ts';
import { certificateProblems, gatewayServers, tlsProblems, type Tls } from './tls.ts';
import { openRoutes, webProblems, webReads, webRoutes, type WebEdge } from './web-routes.ts';

export type { HttpEdgeProps } from './props.ts';

/**
 * A way into the mesh for HTTP: a workload that translates HTTP with JSON into gRPC for the exposed methods, and what
 * brings their requests to it from the ingress gateways. Those refuse everything else with 403, a request without the
 * token its method needs with 403, one with a token that is not valid with 401, and one over a limit with 429. Native gRPC clients,
 * where `protocols` has `grpc`, get PERMISSION_DENIED, UNAUTHENTICATED and RESOURCE_EXHAUSTED in their place.
 */
export class HttpEdge<C extends string> extends Workload<C> {
  /** The methods it exposes. */
  readonly methods: readonly Method<MethodKind, C>[];
  /** The routes of services over plain HTTP that it exposes. */
  readonly routes: readonly ServiceRoute<C>[];
  /** How it is called. */
  readonly protocols: readonly EdgeProtocol[];
  readonly hosts: readonly string[];
  readonly tls: Tls | undefined;
  readonly rateLimits: readonly RateLimit<C>[];
  readonly #props: HttpEdgeProps<C>;
  /** The same as they were given. */
  readonly #declared: unknown;
  #descriptors: GatewayDescriptors | undefined;

  constructor(scope: Namespace<C>, name: string, declared: HttpEdgeProps<C>) {
    const props = given(declared);
    super(scope, name, {
      app: props.app ?? httpGatewayApp,
      placement: props.placement,
      tracing: props.tracing,
    });
    this.#props = props;
    this.#declared = declared;
    this.methods = exposedMethods(scope.mesh, props.expose);
    this.routes = exposedRoutes(scope.mesh, props.expose);
    this.protocols = props.protocols ?? ['rest'];
    this.hosts = props.hosts ?? ['*'];
    this.tls = props.tls;
    this.rateLimits = props.rateLimits ?? [];
    for (const name of this.#claimMetadata) scope.mesh.claimMetadata.add(name);
    // What it translates is what it may call.
    this.calls(...this.#served);
    const gateways = gatewayAsCaller(scope.mesh);
    // Those of others are refused.
    for (const method of this.#grpc) if (!method.service.isExisting) tellCallee(gateways, method);
    for (const route of this.routes) tellCallee(gateways, route);
  }

  /** The longest that its gateway lets a request stand still. Milliseconds. */
  get longestWaitMs(): number {
    return longestWaitMs(this.soundConfig?.env ?? {});
  }

  override get model(): WorkloadModel {
    const { methods, hosts, tls } = this;
    const { jwt, openapi = false } = this.#props;
    const limited = (method: Method) =>
      [...this.rateLimits, ...serviceLimitsOf(method.service)].some(
        (limit) => limit.method === undefined || isSameMethod(limit.method, method),
      );
    const hindered = (method: Method) => limited(method) || isFaulty(method);
    const grpc = this.#grpc;
    const edge = edgeModel({ methods, grpc, hosts, tls: tls !== undefined, openapi, jwt, hindered });
    const isLimited = this.rateLimits.some((limit) => limit.method === undefined);
    return { ...super.model, edge: { ...edge, ...webReads(this.#web, isLimited) } };
  }

  override problems(): readonly Problem[] {
    const unknown = unknownKeys(this.where, this.#declared, propKeys);
    return [...super.problems(), ...unknown, ...this.#appProblems(), ...this.#edgeProblems()];
  }

  override project(into: Projection): void {
    // Where nothing is translated, there is no gateway: requests go to the services themselves.
    const isServing = this.#served.length > 0;
    if (isServing) super.project(into);
    const { where, tls, hosts, rateLimits } = this;
    const { cors, jwt, openapi } = this.#props;
    const { ingress } = this.mesh;
    const grpc = this.#grpcEdge;
    const routes = grpcRoutes(grpc);
    const metadata = { name: this.name, namespace: this.namespace.name };
    into.addIstio('40-services', where, 'Gateway', metadata, {
      selector: { ...ingress.selector },
      servers: gatewayServers(tls, hosts, { http: ingress.http.port, https: ingress.https.port }),
    });
    const http = isServing ? this.ports.http : undefined;
    addGuards(into, {
      ...{ where, id: this.#id, name: this.name, namespace: this.namespace.name, hosts, rateLimits },
      ...{ methods: this.#served, grpc: grpc.methods, routes: openRoutes(this.#web) },
      ...{ jwt, tls, cors, openapi, ingress, host: this.host, port: http },
      pods: this.podLabels,
      edges: this.#edges,
      tokens: this.#edges.map((edge) => edge.#props.jwt),
    });
    if (routes.length > 0) {
      const earlier = this.#edges.slice(0, this.#edges.indexOf(this)).flatMap((edge) => edge.#grpc);
      addGrpc(into, ingress, grpc, routes, earlier);
    }
    const destination = { host: this.host, ...(http === undefined ? {} : { port: { number: http } }) };
    const more = cors === undefined ? {} : { corsPolicy: corsPolicy(cors, this.#httpMethods) };
    const toGateway = { route: [{ destination }], ...defaultRetries(this.mesh.platform), ...more };
    // Routes of native clients name versions of the service itself: they come when those run, as its own routes do.
    const stage = routes.length > 0 ? '60-traffic' : '40-services';
    into.addIstio(stage, where, 'VirtualService', metadata, {
      hosts: [...hosts],
      exportTo: exportTo(this.namespace.name, [ingress.namespace]),
      gateways: [this.name],
      http: [
        ...routes,
        ...webRoutes(this.#web, toGateway, { removed: grpc.foreignClaims, more }),
        ...(this.routes.length === 0 ? [{ name: this.#id, ...toGateway }] : []),
      ],
    });
  }

  protected override get outliers(): OutlierDetection {
    return gatewayOutliers;
  }

  /**
   * One connection for each request in flight, with its TLS handshake, would cost more than the request. Gateways of others do not
   * have what keeps one client from holding up all others on a shared connection (shared-connections.ts).
   */
  protected override get destined(): Destined {
    return { ...super.destined, shared: !this.mesh.ingress.isJoined };
  }

  protected override get callerNamespaces(): readonly string[] {
    return [this.mesh.ingress.namespace];
  }

  /** The ingress gateways, and nobody else. Those of others let anything in: what they may ask for is said by the edge's policy. */
  protected override get grants(): readonly Grant[] {
    const { http } = this.ports;
    return http === undefined || this.mesh.ingress.isJoined
      ? []
      : [{ principal: this.mesh.ingress.principal, port: http }];
  }

  protected override containers(cluster: string, image: string): k8s.Container[] {
    const { config, descriptors } = this;
    const entries = this.#services.map((service) => ({
      services: this.#protoServicesOf(service).map(({ typeName }) => typeName),
      address: `${service.host}:${String(service.ports.grpc)}`,
    }));
    const { cors, jwt, openapi } = this.#props;
    const pages = webSocketOrigins(cors);
    const subject = jwt?.claims?.['sub'];
    const env = {
      ...descriptors.env,
      UPSTREAMS: upstreams(entries),
      ...claimVariables(this.#claimMetadata, this.mesh.claimMetadata),
      // Nobody but the ingress gateways reaches it, which add to X-Forwarded-For whom they got a request from.
      TRUSTED_PROXIES: '1',
      ...(subject === undefined ? {} : { SUBJECT_HEADER: subject }),
      ...(pages.length === 0 ? {} : { WEBSOCKET_ORIGINS: pages.join(',') }),
      // Of what the services have beside, nobody outside learns.
      ...(openapi === true ? { OPENAPI_METHODS: this.#served.map(fullName).join(',') } : {}),
    };
    const { name, ports } = config;
    if (isForeign(config)) throw new Error(`${this.where} is declared with an app that is not built`);
    return [appContainer({ name, image, config, ports, cluster, env, volumeMounts: descriptors.mounts })];
  }

  protected override get descriptors(): GatewayDescriptors {
    this.#descriptors ??= new GatewayDescriptors(
      this.#services.flatMap((service) => this.#protoServicesOf(service)),
      this.mesh.comments,
    );
    return this.#descriptors;
  }

  /** The methods that its HTTP gateway serves. */
  get #served(): readonly Method<MethodKind, C>[] {
    return withPath(this.methods);
  }

  /** The methods that native gRPC clients may call. */
  get #grpc(): readonly Method<MethodKind, C>[] {
    return takesGrpc(this.protocols) ? this.methods : [];
  }

  get #grpcEdge(): GrpcEdge {
    const own = this.#claimMetadata;
    const foreignClaims = [...this.mesh.claimMetadata].filter((name) => !own.includes(name)).sort();
    return { id: this.#id, name: this.name, where: this.where, methods: this.#grpc, foreignClaims };
  }

  get #web(): WebEdge {
    const { openapi, jwt } = this.#props;
    return { id: this.#id, routes: this.routes, methods: this.#served, openapi: openapi === true, jwt };
  }

  protected override get deployments(): readonly DeploymentPlan<C>[] {
    return this.#served.length === 0 ? [] : super.deployments;
  }

  /** The services of the methods that its HTTP gateway serves. */
  get #services(): readonly Callee<C>[] {
    return [...new Set(this.#served.map(({ service }) => service))];
  }

  /** The proto services of a service that its HTTP gateway serves methods of. */
  #protoServicesOf(service: Callee<C>): readonly DescService[] {
    const methods = this.#served.filter((method) => method.service === service);
    return [...new Set(methods.map(({ descriptor }) => descriptor.parent))];
  }

  get #claimMetadata(): readonly string[] {
    return Object.values(this.#props.jwt?.claims ?? {});
  }

  /** Unlike every other edge's of the mesh: names are DNS labels, which have no dots. */
  get #id(): string {
    return `${this.name}.${this.namespace.name}`;
  }

  get #edges(): readonly HttpEdge<string>[] {
    return edgesOf(this.mesh);
  }

  /** What the edges declared before it say of tokens and certificates. */
  get #earlier(): readonly { readonly where: string; readonly jwt: unknown; readonly tls: unknown }[] {
    const edges = this.#edges.slice(0, this.#edges.indexOf(this));
    return edges.map((edge) => ({ where: edge.where, jwt: edge.#props.jwt, tls: edge.tls }));
  }

  get #httpMethods(): readonly string[] {
    const patterns = this.methods.flatMap(({ descriptor }) => patternsOf(descriptor));
    const verbs = [
      ...patterns.map(({ httpMethod }) => httpMethod),
      ...this.routes.flatMap((one) => one.verbs),
    ];
    return [...new Set(verbs)].sort();
  }

  #appProblems(): readonly Problem[] {
    const { where, app, soundConfig } = this;
    if (soundConfig === undefined || app === undefined) return [];
    if (isForeign(soundConfig)) {
      const what = `${app}/config.yml names an image, and an edge needs the HTTP gateway`;
      return [{ where: `${where}: app`, what, received: app, fix: `leave app out for ${httpGatewayApp}` }];
    }
    const waits = waitProblems(where, app, soundConfig.env);
    if (soundConfig.ports.http !== undefined) return waits;
    const what = `${app}/config.yml has no ports.http`;
    return [{ where: `${where}: app`, what, fix: 'add it, usually 8080' }, ...waits];
  }

  #edgeProblems(): readonly Problem[] {
    const { where, mesh, methods } = this;
    const { cors, expose, jwt, protocols, rateLimits = [], tls } = this.#props;
    const found = [
      ...hostProblems(this, this.#edges),
      ...(mesh.ingress.isJoined ? joinedHostProblems(this) : []),
      ...exposeProblems(where, mesh, expose, takesGrpc(protocols)),
      ...protocolProblems(where, protocols, mesh.ingress, methods, mesh.claimMetadata),
      ...jwtProblems(where, mesh, jwt, [...methods, ...this.routes]),
      ...issuerProblems({ where, jwt }, this.#earlier),
      ...this.#limitProblems(rateLimits),
      ...corsProblems(where, cors),
      ...tlsProblems(where, tls, mesh.ingress.namespace),
      ...certificateProblems({ where, tls }, this.#earlier),
    ];
    // What overlaps is told from sound settings only.
    if (found.length > 0) return found;
    const preflighted = this.#edges.filter((edge) => edge.#props.cors !== undefined);
    return [
      ...this.descriptors.problems(`${where}: expose`, 'expose some of the services at another HttpEdge'),
      ...overlapProblems(where, this.#served, (method) => this.#asks(method)),
      ...preflightProblems(where, methods, { cors: cors !== undefined, jwt }),
      ...webProblems(where, this.#web, { preflighted, isJoined: mesh.ingress.isJoined }),
      ...sharedProblems(where, [...new Set(methods.map(({ service }) => service))]),
    ];
  }

  #limitProblems(rateLimits: readonly RateLimit<C>[]): readonly Problem[] {
    const { where, mesh } = this;
    const found = rateLimitProblems(where, rateLimits);
    if (!Array.isArray(rateLimits)) return found;
    const limited = (rateLimits as readonly (RateLimit<C> | undefined)[]).flatMap((limit, index) =>
      limit?.method === undefined
        ? []
        : exposedProblems(where, mesh, [limit.method], this.methods, () => `rateLimits[${index}].method`),
    );
    return [...found, ...limited];
  }

  #asks(method: Method): string {
    const limits = this.rateLimits.filter((limit) => limit.method && isSameMethod(limit.method, method));
    return JSON.stringify([
      requirementOf(this.#props.jwt, method),
      limits.map((limit) => [limit.by, rateOf(limit)]),
    ]);
  }
}

/** Every edge of a mesh, in the order they were declared. */
export function edgesOf(mesh: {
  readonly node: { findAll(): readonly unknown[] };
}): readonly HttpEdge<string>[] {
  return mesh.node.findAll().filter((part) => part instanceof HttpEdge);
}

function serviceLimitsOf({ node }: Callee): readonly RateLimit<string>[] {
  return node.children.flatMap((part) => (part instanceof ServiceLimits ? part.rateLimits : []));
}
