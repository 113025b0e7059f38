import { pathOf } from '../access/authorization.ts';
import type { IstioSpec } from '../../model/istio-models.ts';
import type { Method } from '../scope/method.ts';
import { isExisting, type AnyPlatform } from '../scope/platform.ts';
import { matchKey, routesOf, type CallDefaults, type Route, type SoundPolicy } from './effective.ts';
import type { Fault, Metadata, MetadataMatch, Retries } from './props.ts';

/** A route of a VirtualService for HTTP. */
export type HttpRoute = NonNullable<IstioSpec<'VirtualService'>['http']>[number];

/** One that an EnvoyFilter can name. */
export type NamedRoute = HttpRoute & { readonly name: string };
type HttpMatch = NonNullable<HttpRoute['match']>[number];
type Destinations = NonNullable<HttpRoute['route']>;

/**
 * When a call is made again of which nothing else is said: no server has seen it. Istio's own default also retries UNAVAILABLE, which
 * a method that is not idempotent may have got halfway through.
 */
export const unseenRetries = { attempts: 2, retryOn: 'connect-failure,refused-stream' } as const;

/** What routes say of retries where nothing else does: of an Istio of others the default is not ours. */
export function defaultRetries(platform: AnyPlatform): { readonly retries?: typeof unseenRetries } {
  return isExisting(platform) ? { retries: unseenRetries } : {};
}

/** What the routes of a service are made from. */
export interface Routed {
  readonly host: string;
  /** The ports of its Service when it has several, that of its gRPC server first. */
  readonly ports: readonly number[];
  readonly methods: readonly Method[];
  /** Whether versions of it have Deployments of their own. */
  readonly versioned: boolean;
  readonly policy: SoundPolicy | undefined;
  /** What the mesh and the namespace say of calls of which the policy says nothing. @default - nothing */
  readonly defaults?: CallDefaults;
  /** What a route says of retries where nothing else does. @default - nothing: the mesh has a default of its own */
  readonly retries?: typeof unseenRetries;
}

/**
 * A VirtualService body (https://istio.io/latest/docs/reference/config/networking/virtual-service/) with the routes of a
 * policy; none for a service that needs no route of its own. Streams are never retried, so a service with a streaming
 * method needs one also without a policy: the mesh's default tries every call again that no server has seen, for which
 * the proxy keeps what a stream has sent.
 */
export function virtualService(service: Routed): IstioSpec<'VirtualService'> | undefined {
  const { host, methods, policy } = service;
  const routes = routesOf(methods, policy?.rules ?? [], service.defaults);
  const splits = service.versioned && policy?.weights !== undefined;
  if (routes.length === 1 && !splits && service.retries === undefined) return undefined;
  const [port, ...others] = service.ports;
  const http = routes.map((route) => httpRoute(service, route, port));
  const last = routes.at(-1);
  // A route of a Service with several ports leads to one of them; what is no gRPC goes on to the port it came for.
  const beside =
    last === undefined ? [] : others.map((other) => ({ ...last, name: `${last.name} ${other}`, other }));
  return {
    hosts: [host],
    http: [...http, ...beside.map(({ other, ...route }) => httpRoute(service, route, other))],
  };
}

/** How a gateway takes calls to a service that it calls itself. */
export interface AtGateway {
  /** Those that it takes calls of. */
  readonly methods: readonly Method[];
  /** What the names of its routes begin with. */
  readonly name: string;
  /** What a call has to have, beside its path and what a rule asks for. */
  readonly headers: Readonly<Record<string, { readonly regex: string }>>;
  /** Headers that are taken from calls before they go on. */
  readonly removed: readonly string[];
}

/**
 * The routes of a service for a gateway: those of its policy hold for callers in the mesh alone, so that they are said once more. Only
 * calls of the given methods have one.
 * @param port - of its Service
 */
export function gatewayRoutes(service: Routed, port: number, gateway: AtGateway): NamedRoute[] {
  const { name, headers, removed } = gateway;
  const all = routesOf(service.methods, service.policy?.rules ?? [], service.defaults);
  return all.flatMap((route, index): NamedRoute[] => {
    const methods = gateway.methods.filter((method) => takes(route, method, all.slice(0, index)));
    if (methods.length === 0) return [];
    const asked = { ...metadataHeaders(route.metadata), ...headers };
    return [
      {
        ...httpRoute(service, route, port),
        name: `${name} ${route.name}`,
        match: methods.map((method) => ({
          uri: { exact: pathOf(method) },
          method: { exact: 'POST' },
          headers: asked,
        })),
        ...(removed.length === 0 ? {} : { headers: { request: { remove: [...removed] } } }),
      },
    ];
  });
}

/** Whether calls of a method come to a route: it is for them, and none of the earlier ones takes all that it would. */
function takes(route: Route, method: Method, earlier: readonly Route[]): boolean {
  const isFor = ({ methods }: Route) =>
    methods.length === 0 || methods.some(({ descriptor }) => descriptor === method.descriptor);
  return (
    isFor(route) &&
    !earlier.some(
      (one) =>
        isFor(one) && (one.metadata === undefined || matchKey(one.metadata) === matchKey(route.metadata)),
    )
  );
}

function httpRoute(
  service: Routed,
  { name, methods, metadata, action, streams }: Route,
  port: number | undefined,
): HttpRoute {
  const match = matches(port, methods, metadata);
  const { timeoutMs, retries, to, fault, mirror } = action;
  return {
    name,
    ...(match.length === 0 ? {} : { match }),
    route: destinations(service, to, port),
    ...(timeoutMs === undefined ? {} : { timeout: seconds(timeoutMs) }),
    ...retriesOf(service, streams, retries),
    ...(fault === undefined ? {} : { fault: faults(fault) }),
    ...(mirror === undefined
      ? {}
      : {
          mirrors: [
            {
              destination: destination(service, mirror.to, port),
              percentage: { value: mirror.percent ?? 100 },
            },
          ],
        }),
  };
}

function retriesOf(
  { retries: usual }: Routed,
  streams: boolean,
  retries: Retries | undefined,
): Pick<HttpRoute, 'retries'> {
  if (streams) return { retries: { attempts: 0 } };
  if (retries !== undefined) return { retries: retry(retries) };
  return usual === undefined ? {} : { retries: usual };
}

function matches(
  port: number | undefined,
  methods: readonly Method[],
  metadata: Metadata | undefined,
): HttpMatch[] {
  const headers = metadataHeaders(metadata);
  const common = {
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(port === undefined ? {} : { port }),
  };
  if (methods.length > 0) return methods.map((method) => ({ uri: { exact: pathOf(method) }, ...common }));
  return Object.keys(common).length === 0 ? [] : [common];
}

function metadataHeaders(metadata: Metadata | undefined): Record<string, ReturnType<typeof headerMatch>> {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, headerMatch(value)] as const);
  return Object.fromEntries(entries);
}

function headerMatch(match: MetadataMatch): { exact: string } | { prefix: string } | { regex: string } {
  if ('exact' in match) return { exact: match.exact };
  return 'prefix' in match ? { prefix: match.prefix } : { regex: match.regex };
}

function destinations(service: Routed, to: string | undefined, port: number | undefined): Destinations {
  const weights = Object.entries(service.policy?.weights ?? {});
  if (to !== undefined || !service.versioned || weights.length === 0) {
    return [{ destination: destination(service, to, port) }];
  }
  // Istio sends nothing to a weight of 0. It stands there for the reader, and keeps the subset in use: what changes
  // from one step of a canary to the next is a weight.
  // Istio's weights are whole numbers, of whatever sum: hundredths of a percent where one of them needs that.
  const parts = weights.every(([, share]) => Number.isInteger(share)) ? 1 : 100;
  return weights.map(([version, share]) => ({
    destination: destination(service, version, port),
    weight: Math.round(share * parts),
  }));
}

/** Subsets are there for weights: without, a version that is picked is the only one. */
function destination(
  { host, versioned, policy }: Routed,
  version: string | undefined,
  port: number | undefined,
): Destinations[number]['destination'] {
  const named = versioned && policy?.weights !== undefined && version !== undefined;
  return {
    host,
    ...(named ? { subset: version } : {}),
    ...(port === undefined ? {} : { port: { number: port } }),
  };
}

/**
 * Beside the statuses: no connection, a stream the server refused unseen, and a connection that broke or an attempt that
 * ran out of time before there was an answer, which callers would also see as UNAVAILABLE.
 */
function retry({
  attempts,
  on = ['UNAVAILABLE'],
  perTryTimeoutMs,
}: Retries): NonNullable<HttpRoute['retries']> {
  const statuses = [...on].sort().map((status) => status.toLowerCase().replaceAll('_', '-'));
  return {
    attempts,
    retryOn: ['connect-failure', 'refused-stream', 'reset', ...statuses].join(','),
    ...(perTryTimeoutMs === undefined ? {} : { perTryTimeout: seconds(perTryTimeoutMs) }),
  };
}

function faults(fault: Fault | readonly Fault[]): NonNullable<HttpRoute['fault']> {
  const all: readonly Fault[] = 'percent' in fault ? [fault] : fault;
  return Object.assign(
    {},
    ...all.map((one) => {
      const percentage = { value: one.percent };
      return 'status' in one
        ? { abort: { grpcStatus: one.status, percentage } }
        : { delay: { fixedDelay: seconds(one.delayMs), percentage } };
    }),
  ) as NonNullable<HttpRoute['fault']>;
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}
