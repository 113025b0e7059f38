import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import type { CallModel, ConnectionModel, RequestModel, WorkloadModel } from '../../model/mesh-model.ts';
import { pathOf } from '../access/authorization.ts';
import type { CallRecord } from '../access/call-record.ts';
import type { Method } from '../scope/method.ts';
import type { ServiceRoute } from '../scope/service-route.ts';

/**
 * Of each callee one call that shows whether its callers get there and harms nobody.
 * @param methods - what a workload may call
 * @param faulty - whether calls of a method are ended or delayed on purpose
 */
export function callModels(
  methods: readonly Method[],
  faulty: (method: Method) => boolean,
): readonly CallModel[] {
  return [...Map.groupBy(methods, ({ service }) => service)].map(([service, called]) => {
    const { name, namespace, ports, isExisting } = service;
    const to = {
      ...{ workload: name, namespace: namespace.name, port: ports.grpc ?? 0 },
      ...(isExisting ? { existing: true as const } : {}),
    };
    // A stream may stand still for as long as it likes before it answers.
    const safe = called.find((method) => isSafe(method) && method.kind === 'unary' && !faulty(method));
    if (safe !== undefined) return { ...to, path: pathOf(safe), answeredBy: 'service' };
    const [first] = called;
    // Were it let through, the service would not know it either.
    return { ...to, path: `/${first?.descriptor.parent.typeName ?? ''}/${noMethod}`, answeredBy: 'proxy' };
  });
}

/** A method that no proto service has, and so nobody is granted. */
const noMethod = 'MeshwrightProbe';

/** Whether the proto says that a method has no side effects (google.protobuf.MethodOptions, idempotency_level). */
export function isSafe({ descriptor }: Pick<Method, 'descriptor'>): boolean {
  return descriptor.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

/** The ports that a workload may connect to, each once, where there are any; and what its proxy gets for calls outside the mesh. */
export function connectionModels({
  tcp,
  proxyAnnotations,
}: Pick<CallRecord, 'tcp' | 'proxyAnnotations'>): Pick<WorkloadModel, 'connects' | 'proxyAnnotations'> {
  const connects = [...new Set(tcp)].map(({ service, portName: name, ofPods }): ConnectionModel => {
    const to = { workload: service.name, namespace: service.namespace.name, name };
    if (!ofPods) return { ...to, port: service.servicePort(name) };
    const [pods] = (service.podsHost ?? '').split('.');
    // The first pod is there wherever there are any.
    return { ...to, port: service.containerPort(name), pod: `${service.name}-0.${pods ?? ''}` };
  });
  return {
    ...(connects.length === 0 ? {} : { connects }),
    ...(Object.keys(proxyAnnotations).length === 0 ? {} : { proxyAnnotations }),
  };
}

/** Of each workload over plain HTTP that another may call, one request that shows whether it gets there, where there are any. */
export function requestModels(routes: readonly ServiceRoute[]): Pick<WorkloadModel, 'requests'> {
  if (routes.length === 0) return {};
  const requests = [...Map.groupBy(routes, ({ service }) => service)].map(
    ([service, called]): RequestModel => {
      const to = { workload: service.name, namespace: service.namespace.name, port: service.ports.http ?? 0 };
      // Without side effects (RFC 9110, section 9.2.1). Not HEAD: its answer has no body by which a proxy's refusal is known.
      const [path] = called.flatMap((route) => (route.verbs.includes('GET') ? shortestOf(route.path) : []));
      return path === undefined
        ? { ...to, verb: 'TRACE', path: '/', answeredBy: 'proxy' }
        : { ...to, verb: 'GET', path, answeredBy: 'service' };
    },
  );
  return { requests };
}

/** The shortest path that a route has; none of a template. */
function shortestOf(path: string): readonly string[] {
  return path.includes('{') ? [] : [path.replace(/\*$/, '')];
}
