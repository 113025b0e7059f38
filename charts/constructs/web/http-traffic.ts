import type { IstioSpec } from '../../model/istio-models.ts';
import { uriMatch } from '../http/route-paths.ts';
import type { OutlierDetection } from '../traffic/destination-rule.ts';
import type { unseenRetries } from '../traffic/virtual-service.ts';
import { type HttpRoute, type NamedRoute } from '../traffic/virtual-service.ts';
import type { HttpRetries } from './http-props.ts';

/** What the routes to a service over plain HTTP are made from. */
export interface Requested {
  readonly host: string;
  /** Port of its Service. */
  readonly port: number;
  readonly timeoutMs: number | undefined;
  readonly retries: HttpRetries | undefined;
  /** What a route says of retries where nothing else does. @default - nothing: the mesh has a default of its own */
  readonly usual?: typeof unseenRetries;
}

/**
 * When a pod gets no requests for a while: after five answers in a row that say that the server is not there (502, 503, 504). Other 5xx
 * are a program's own answers.
 */
export const httpOutliers: OutlierDetection = { consecutiveGatewayErrors: 5, consecutive5xxErrors: 0 };

/** Verbs whose requests may be made again, though a server has seen them (RFC 9110, section 9.2.2). */
const idempotent = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/** When an idempotent request is made again. */
const retryOn = 'connect-failure,refused-stream,reset,503';

/** A VirtualService body for callers in the mesh; none where there is nothing to say. */
export function httpVirtualService(service: Requested): IstioSpec<'VirtualService'> | undefined {
  const { host, timeoutMs, retries, usual } = service;
  if (timeoutMs === undefined && retries === undefined && usual === undefined) return undefined;
  return { hosts: [host], http: routes(service, '', {}) };
}

/** How a gateway takes requests to a service that it calls itself. */
export interface AtGateway {
  /** What the names of its routes begin with. */
  readonly name: string;
  /** Headers that are taken from requests before they go on. */
  readonly removed: readonly string[];
  /** What all its routes say beside. */
  readonly more: Pick<HttpRoute, 'corsPolicy'>;
}

/** The routes of a service for a path of it at a gateway: those of its VirtualService hold for callers in the mesh alone. */
export function httpRoutesAt(service: Requested, path: string, gateway: AtGateway): NamedRoute[] {
  const { name, removed, more } = gateway;
  return routes(service, `${name} ${path} `, { uri: uriMatch(path) }).map((route) => ({
    ...route,
    ...(removed.length === 0 ? {} : { headers: { request: { remove: [...removed] } } }),
    ...more,
  }));
}

/** A route for what may be made again, where more is said of that, and one for the rest. */
function routes(
  service: Requested,
  name: string,
  match: { readonly uri?: ReturnType<typeof uriMatch> },
): NamedRoute[] {
  const { host, port, timeoutMs, retries, usual } = service;
  const common = {
    route: [{ destination: { host, port: { number: port } } }],
    ...(timeoutMs === undefined ? {} : { timeout: seconds(timeoutMs) }),
  };
  const isAny = Object.keys(match).length === 0;
  const rest: NamedRoute = {
    name: `${name}default`,
    ...(isAny ? {} : { match: [match] }),
    ...common,
    ...(usual === undefined ? {} : { retries: usual }),
  };
  if (retries === undefined) return [rest];
  const { attempts, perTryTimeoutMs } = retries;
  return [
    {
      name: `${name}idempotent`,
      match: idempotent.map((exact) => ({ ...match, method: { exact } })),
      ...common,
      retries: {
        ...{ attempts, retryOn },
        ...(perTryTimeoutMs === undefined ? {} : { perTryTimeout: seconds(perTryTimeoutMs) }),
      },
    },
    rest,
  ];
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}
