import type { Problem } from '../../../core/problem.ts';
import { hasHttpRule } from '../../../http-rule/pattern.ts';
import type { Method } from '../scope/method.ts';
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
