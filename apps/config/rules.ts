import { isDnsLabel, takenContainers } from '../../core/names.ts';
import type { Problem } from '../../core/problem.ts';
import { checkEnv } from './env-rules.ts';
import { at, isMapping, type Where } from './mapping.ts';
import { checkAutoscaling, checkShutdown } from './pod-rules.ts';
import { parseQuantity } from './quantity.ts';

/**
 * Checks that the fields of a config.yml fit each other and their folder. Works on the unparsed value and
 * skips whatever is malformed, so that its problems are reported together with those of the schema.
 * @param where - names a key of the file, for the problem
 */
export function checkRules(value: unknown, folder: string, where: Where): Problem[] {
  return [
    ...checkName(value, folder, where),
    ...checkServices(value, where),
    ...checkPorts(value, where),
    ...checkResources(value, where),
    ...checkAutoscaling(value, where),
    ...checkShutdown(value, where),
    ...checkEnv(value, where),
  ];
}

/** Checks the name of an app, which is that of its folder and of its container. */
export function checkName(value: unknown, folder: string, where: Where): Problem[] {
  const name = at(value, 'name');
  if (typeof name !== 'string' || !isDnsLabel(name)) return [];
  const taken = checkContainerName(name, where('name'), 'rename the app and its folder');
  if (taken.length > 0 || name === folder) return taken;
  return [
    {
      where: where('name'),
      what: 'differs from the name of its folder',
      received: name,
      allowed: folder,
      fix: `write ${folder}, or rename the folder`,
    },
  ];
}

/** Checks the name of a container against those that others put into its pod. */
export function checkContainerName(name: string, where: string, fix: string): Problem[] {
  if (!takenContainers.includes(name)) return [];
  const what = 'is the name of a container that Istio or the HTTP gateway has in the same pod';
  return [{ where, what, received: name, allowed: `a name other than ${takenContainers.join(', ')}`, fix }];
}

export function checkServices(value: unknown, where: Where): Problem[] {
  const names = at(value, 'services');
  if (!Array.isArray(names)) return [];
  return names.flatMap((name: unknown, index): Problem[] => {
    if (typeof name !== 'string') return [];
    const entry = where(`services[${index}]`);
    if (names.indexOf(name) === index) return [];
    return [{ where: entry, what: 'listed twice', received: name, fix: 'remove one' }];
  });
}

function checkPorts(value: unknown, where: Where): Problem[] {
  const services = at(value, 'services');
  const serves = Array.isArray(services) && services.length > 0;
  const servesNothing = services === undefined || (Array.isArray(services) && services.length === 0);
  const grpc = at(value, 'ports', 'grpc');
  const http = at(value, 'ports', 'http');
  const ports = at(value, 'ports');
  const problems: Problem[] = [];
  if (isMapping(ports) && grpc === undefined) {
    if (serves) {
      problems.push({
        where: where('ports', 'grpc'),
        what: 'missing, but the app has gRPC services to serve',
        fix: 'add ports.grpc, usually 50051',
      });
    } else if (http === undefined) {
      problems.push({ where: where('ports'), what: 'no port', fix: 'add ports.grpc or ports.http' });
    }
  }
  if (typeof grpc === 'number' && grpc === http) {
    problems.push({
      where: where('ports', 'http'),
      what: 'the same as ports.grpc',
      received: http,
      fix: 'give each its own port',
    });
  }
  if (at(value, 'httpGateway') === true && servesNothing) {
    problems.push({
      where: where('httpGateway'),
      what: 'the HTTP gateway needs a gRPC service, and the app lists none',
      received: true,
      fix: 'list the services, or remove httpGateway',
    });
  }
  return problems;
}

export function checkResources(value: unknown, where: Where): Problem[] {
  return ['cpu', 'memory'].flatMap((resource): Problem[] => {
    const request = at(value, 'resources', 'requests', resource);
    const limit = at(value, 'resources', 'limits', resource);
    const [least, most] = [parseQuantity(request), parseQuantity(limit)];
    if (least === undefined || most === undefined || least <= most) return [];
    return [
      {
        where: where('resources', 'requests', resource),
        what: `more than resources.limits.${resource}`,
        received: request,
        allowed: `at most ${String(limit)}`,
        fix: 'lower the request or raise the limit',
      },
    ];
  });
}
