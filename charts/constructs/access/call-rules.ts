import type { Problem } from '../../../core/problem.ts';
import { hasHttpRule } from '../../../http-rule/pattern.ts';
import type { Method } from '../scope/method.ts';
import type { Namespace } from '../scope/mesh-construct.ts';
import { ExternalService } from './external-service.ts';
import { pathsToEvade, pathsWithoutOperation } from '../http/http-paths.ts';
import { ruleProblems } from '../http/rule-problems.ts';

/** What is wrong with methods, of this mesh, that a workload says it calls over HTTP. */
export function httpCallProblems(where: string, calls: readonly Method[]): Problem[] {
  return calls.flatMap((method, index): Problem[] => {
    const { service, descriptor, kind } = method;
    const problem = {
      where: `${where}: callsHttp[${index}]`,
      received: `${descriptor.parent.typeName}.${descriptor.name}`,
    };
    const problems: Problem[] = [];
    if (service.isExisting) {
      const what = `${service.where} belongs to others, and is known to serve gRPC only`;
      return [{ ...problem, what, fix: 'use calls' }];
    }
    if (service.hasHttpGateway === false) {
      const what = `${service.where} has no HTTP gateway`;
      const fix = `add httpGateway: true to ${service.configName}, or use calls`;
      problems.push({ ...problem, what, fix });
    }
    if (kind !== 'unary') {
      const what = 'the method streams, and only unary methods can be called over HTTP inside the mesh';
      return [...problems, { ...problem, what, fix: 'use calls, or expose it at an HttpEdge' }];
    }
    if (!hasHttpRule(descriptor)) {
      const what = 'the method has no google.api.http rule, and therefore no HTTP path';
      return [...problems, { ...problem, what, fix: 'add one to the proto, or use calls' }];
    }
    problems.push(...ruleProblems(problem.where, [descriptor]));
    const evaded = pathsToEvade(descriptor, [...new Set([descriptor.parent, ...service.served])]);
    if (evaded.length > 0) {
      const what =
        `its paths also match ${evaded.join(', ')} of another method, and no AuthorizationPolicy can tell the two apart ` +
        'when a client percent-encodes the path';
      problems.push({ ...problem, what, fix: 'use calls' });
    }
    const beyond = pathsWithoutOperation(descriptor);
    if (beyond.length === 0) return problems;
    const what = `the path ${beyond.join(', ')} has a verb after a variable, which no AuthorizationPolicy can match`;
    return [...problems, { ...problem, what, fix: 'use calls' }];
  });
}

/**
 * What is wrong with the external services a workload says it calls; plain JavaScript may pass anything.
 * @param meshPorts - ports of the mesh's services that it calls, which are HTTP to its proxy
 * @param namespace - where it runs
 */
export function externalCallProblems(
  where: string,
  mesh: object,
  calls: readonly unknown[],
  meshPorts: readonly number[],
  namespace: Pick<Namespace<string>, 'name' | 'shared'>,
): Problem[] {
  const sound = calls.filter((call) => call instanceof ExternalService);
  return calls.flatMap((call, index): Problem[] => {
    const problem = { where: `${where}: callsExternal[${index}]` };
    if (!(call instanceof ExternalService)) {
      const what = 'is not an external service';
      return [{ ...problem, what, received: call, allowed: 'an ExternalService of this mesh' }];
    }
    const received = call.where;
    if ((call.mesh as object) !== mesh) {
      const what = 'is an external service of another mesh';
      return [{ ...problem, what, received, fix: 'declare it in this mesh' }];
    }
    if (namespace.shared) {
      const what = `would be in the way of others, too: calls to ${call.host} of every pod in the shared namespace ${namespace.name} would go through it`;
      const fix = 'declare the caller in a namespace that the mesh has alone';
      return [{ ...problem, what, received, fix }];
    }
    const rival = sound.find((other) => other !== call && other.host === call.host);
    if (rival !== undefined && sound.indexOf(rival) < sound.indexOf(call)) {
      const what = `has the same host as ${rival.where}, which the workload also calls`;
      return [{ ...problem, what, received, fix: 'call only one of them' }];
    }
    const plain = sound.filter(({ protocol }) => protocol !== 'TLS').map(({ port }) => port);
    if (call.protocol !== 'TLS' || ![...meshPorts, ...plain].includes(call.port)) return [];
    const what = `speaks TLS on port ${call.port}, where the workload also calls plaintext HTTP or gRPC services: one listener of its proxy cannot do both`;
    return [{ ...problem, what, received, fix: 'move one of them to another port' }];
  });
}
