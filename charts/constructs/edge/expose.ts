import type { DescService } from '@bufbuild/protobuf';
import type { Problem } from '../../../core/problem.ts';
import { hasHttpRule } from '../../../http-rule/pattern.ts';
import { methodName } from '../../../http-rule/problem.ts';
import { callProblems, isMethod } from '../access/authorization.ts';
import { ExistingService } from '../existing/existing-service.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { ruleProblems } from '../http/rule-problems.ts';
import type { Method, MethodKind } from '../scope/method.ts';
import { isRoute, isSameRoute, routeName, type ServiceRoute } from '../scope/service-route.ts';

/** A method, a service for all its methods that have a google.api.http rule, or a route of a service over plain HTTP. */
export type Exposed<C extends string> = Method<MethodKind, C> | ExposedService<C> | ServiceRoute<C>;

/** What requests from outside can be for. */
export type Asked<C extends string = string> = Method<MethodKind, C> | ServiceRoute<C>;

type ExposedService<C extends string> = GrpcService<DescService, C, string> | ExistingService<DescService, C>;

/** The methods that are meant, each once; what is none is left to {@link exposeProblems}. */
export function exposedMethods<C extends string>(
  mesh: object,
  expose: readonly Exposed<C>[],
): readonly Method<MethodKind, C>[] {
  const methods = list(expose).flatMap((entry): Method<MethodKind, C>[] => {
    if (isService(entry)) {
      const all = entry.methods as readonly Method<MethodKind, C>[];
      return all.filter(({ descriptor }) => hasHttpRule(descriptor));
    }
    return isMethod(entry) ? [entry as Method<MethodKind, C>] : [];
  });
  return methods.filter(
    (method, index) =>
      method.service.mesh === mesh && methods.findIndex((other) => isSameMethod(method, other)) === index,
  );
}

/** The routes that are meant, each once; what is none is left to {@link exposeProblems}. */
export function exposedRoutes<C extends string>(
  mesh: object,
  expose: readonly Exposed<C>[],
): readonly ServiceRoute<C>[] {
  const routes = list(expose).filter(isRoute) as unknown as readonly ServiceRoute<C>[];
  return routes.filter(
    (route, index) =>
      route.service.mesh === mesh && routes.findIndex((other) => isSameRoute(other, route)) === index,
  );
}

/** Whether both are about the same requests. */
export function isSame(a: Asked, b: Asked): boolean {
  if (isRoute(a)) return isRoute(b) && isSameRoute(a, b);
  return !isRoute(b) && isSameMethod(a, b);
}

/** What it is called in messages. */
export function askedName(asked: Asked): string {
  return isRoute(asked) ? routeName(asked) : fullName(asked);
}

export function isSameMethod(a: Method, b: Method): boolean {
  return a.service === b.service && a.descriptor === b.descriptor;
}

/** `shop.catalog.v1.CatalogService/GetProduct`, as gRPC's own texts name a method. */
export function fullName({ descriptor }: Method): string {
  return methodName(descriptor);
}

/** Of the methods that an edge exposes those that it serves by their google.api.http paths. */
export function withPath<C extends string>(
  methods: readonly Method<MethodKind, C>[],
): readonly Method<MethodKind, C>[] {
  return methods.filter(({ descriptor }) => hasHttpRule(descriptor));
}

/**
 * What is wrong with what an edge exposes; plain JavaScript may pass anything.
 * @param grpc - whether native gRPC clients may call it, who need no HTTP paths
 */
export function exposeProblems(
  edge: string,
  mesh: object,
  expose: unknown,
  grpc: boolean,
): readonly Problem[] {
  const where = `${edge}: expose`;
  const entries = list(expose);
  if (entries.length === 0) {
    const fix = 'name a method, or remove the edge';
    return [{ where, what: 'there is nothing to expose', received: expose, fix }];
  }
  const found = entries.flatMap((entry, index) => {
    if (isService(entry)) return serviceProblems(where, mesh, entry, grpc);
    const wrong = callProblems(edge, mesh, [entry], () => `expose[${index}]`, { routes: true });
    return wrong.length > 0 || grpc || isRoute(entry)
      ? wrong
      : methodProblems(`${edge}: expose[${index}]`, entry as Method);
  });
  const methods = exposedMethods(mesh, entries as readonly Exposed<string>[]);
  // The gateway serves all methods of a service, whichever are exposed.
  const services = new Set(withPath(methods).map(({ descriptor }) => descriptor.parent));
  if (found.length === 0 && services.size === 0 && !entries.some(isRoute)) {
    const what = 'no exposed method has an HTTP path, so that the HTTP gateway would have nothing to serve';
    const fix = 'expose one that has, or add a google.api.http option to one';
    return [{ where, what, received: entries, fix }, ...twice(where, entries)];
  }
  const served = [...services].flatMap((service) => service.methods);
  return [...found, ...twice(where, entries), ...rivals(where, methods), ...ruleProblems(where, served)];
}

function isService(entry: unknown): entry is ExposedService<string> {
  return entry instanceof GrpcService || entry instanceof ExistingService;
}

function list(expose: unknown): readonly unknown[] {
  return Array.isArray(expose) ? (expose as readonly unknown[]) : [];
}

function serviceProblems(
  where: string,
  mesh: object,
  service: ExposedService<string>,
  grpc: boolean,
): readonly Problem[] {
  const received = service.where;
  if (service.mesh !== mesh) {
    return [
      { where, what: 'is a service in another mesh', received, fix: 'declare the service in this mesh' },
    ];
  }
  if (service.methods.some(({ descriptor }) => hasHttpRule(descriptor))) return [];
  return [
    {
      where,
      what: 'no method of the service has an HTTP path',
      received,
      fix: grpc
        ? 'name the methods, which are then for native gRPC clients only, or add a google.api.http option to one'
        : 'add a google.api.http option to a method, or do not expose it',
    },
  ];
}

function methodProblems(where: string, method: Method): readonly Problem[] {
  if (hasHttpRule(method.descriptor)) return [];
  const fix = 'add a google.api.http option to it, or do not expose it';
  return [{ where, what: 'the method has no HTTP path', received: fullName(method), fix }];
}

function twice(where: string, entries: readonly unknown[]): readonly Problem[] {
  return entries.flatMap((entry, index): Problem[] => {
    const before = entries.slice(0, index);
    const fix = 'remove one';
    if (isService(entry) && before.includes(entry)) {
      return [{ where, what: 'the service is listed twice', received: entry.where, fix }];
    }
    if (isRoute(entry)) {
      const isListed = before.some((other) => isRoute(other) && isSameRoute(other, entry));
      return isListed ? [{ where, what: 'the route is listed twice', received: entry, fix }] : [];
    }
    if (!isMethod(entry)) return [];
    const again = before.some((other) =>
      isMethod(other) ? isSameMethod(entry, other) : other === entry.service,
    );
    return again ? [{ where, what: 'the method is listed twice', received: fullName(entry), fix }] : [];
  });
}

/** Two services of one proto service: the HTTP gateway could not tell whose turn it is. */
function rivals(where: string, methods: readonly Method[]): readonly Problem[] {
  const declared = Map.groupBy(methods, ({ descriptor }) => descriptor.parent.typeName);
  return [...declared].flatMap(([typeName, served]): Problem[] => {
    const [first, ...others] = [...new Set(served.map(({ service }) => service))];
    const what = `the service serves ${typeName}, as does ${first?.where ?? ''}: its paths would be ambiguous`;
    return others.map((other) => ({ where, what, received: other.where, fix: 'expose only one of them' }));
  });
}
