import type { Method, MethodKind } from './method.ts';
import type { ServiceRoute } from './service-route.ts';
import type { TcpPort } from './tcp-port.ts';

/** What a caller can be granted: a method of a gRPC service, a port of a TcpService, or a route of an HttpService. */
export type Callable<C extends string = string> = Method<MethodKind, C> | TcpPort<C> | ServiceRoute<C>;
