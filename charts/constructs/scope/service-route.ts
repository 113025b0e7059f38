import type { MeshConstruct } from './mesh-construct.ts';
import type { Caller } from './method.ts';

/** HTTP methods that a service over plain HTTP can be called by (RFC 9110, section 9.3, and RFC 5789). */
export type HttpVerb = (typeof httpVerbs)[number];

/** Every {@link HttpVerb}. */
export const httpVerbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** A declared service over plain HTTP, as those see it who call it: the class `HttpService`. */
export interface HttpCallee<C extends string = string> extends MeshConstruct<C> {
  readonly namespace: { readonly name: string };
  /** Name of its Service in every cluster. */
  readonly name: string;
  /** Whether it belongs to others: it is read and never written. */
  readonly isExisting: boolean;
  /** Host name of its Service, the same in every cluster. */
  readonly host: string;
  /** Whether all that is known of it is right: only then it has ports. */
  readonly isSound: boolean;
  /** Ports of its Service. */
  readonly ports: { readonly http?: number };
  /** Called by `calls`, for each route that a caller may call. */
  noteCaller(caller: Caller, route: ServiceRoute): void;
}

/** Requests to a declared service, by verb and path. */
export interface ServiceRoute<C extends string = string> {
  readonly service: HttpCallee<C>;
  readonly verbs: readonly HttpVerb[];
  /** `/carts`, `/carts/*` or `/carts/{*}/items`. */
  readonly path: string;
}

/** One of a declared service; error messages show it the way it is written. */
class DeclaredRoute<C extends string> implements ServiceRoute<C> {
  readonly service: HttpCallee<C>;
  readonly verbs: readonly HttpVerb[];
  readonly path: string;

  constructor(service: HttpCallee<C>, verbs: readonly HttpVerb[], path: string) {
    this.service = service;
    this.verbs = verbs;
    this.path = path;
  }

  toJSON(): string {
    return `${this.service.where}: ${routeName(this)}`;
  }
}

/** Pairs verbs and a path with the construct; plain JavaScript may pass anything for them. */
export function routeOf<C extends string>(
  service: HttpCallee<C>,
  verbs: HttpVerb | readonly HttpVerb[],
  path: string,
): ServiceRoute<C> {
  return new DeclaredRoute(service, [verbs].flat(), path);
}

/** Whether it is a route of a declared service; plain JavaScript may pass anything for one. */
export function isRoute(value: unknown): value is ServiceRoute {
  return value instanceof DeclaredRoute;
}

/** For people: `GET, HEAD /carts/*`. */
export function routeName({ verbs, path }: Pick<ServiceRoute, 'verbs' | 'path'>): string {
  return `${verbs.join(', ')} ${path}`;
}

/** Whether both are about the same requests. */
export function isSameRoute(a: ServiceRoute, b: ServiceRoute): boolean {
  const names = ({ verbs }: ServiceRoute) => [...verbs].sort().join();
  return a.service === b.service && a.path === b.path && names(a) === names(b);
}
