import type { Problem } from '../../core/problem.ts';
import type { ForeignConfig } from './container.ts';
import { checkEnv } from './env-rules.ts';
import { checkImage, containerOf } from './foreign.ts';
import type { ParsedHttp, ParsedTcp } from './foreign-schema.ts';
import { at, isMapping, type Where } from './mapping.ts';
import { checkAutoscaling, checkShutdown } from './pod-rules.ts';
import { checkResources } from './rules.ts';
import { checkStateful } from './pod/stateful.ts';

/** What of a container that serves something else than gRPC over TCP the schema does not see: whether its fields fit each other. */
export function checkTcpRules(name: string, value: unknown, where: Where): Problem[] {
  const ports = at(value, 'ports');
  const known = isMapping(ports) ? Object.values(ports).flatMap((port) => numbersOf(port).port ?? []) : [];
  return [
    ...checkImage(value, where),
    ...checkPorts(value, where),
    ...checkProbes(value, where, known),
    ...checkContainer(value, where),
    ...checkStateful(name, value, where),
  ];
}

/** The same of a container that serves plain HTTP. */
export function checkHttpRules(value: unknown, where: Where): Problem[] {
  return [
    ...checkImage(value, where),
    ...checkProbes(value, where, [numbersOf(at(value, 'port')).port ?? []].flat()),
    ...checkContainer(value, where),
  ];
}

function checkContainer(value: unknown, where: Where): Problem[] {
  return [
    ...checkResources(value, where),
    ...checkAutoscaling(value, where),
    ...checkShutdown(value, where),
    ...checkEnv(value, where, false),
  ];
}

/** A port's name, in the container and in the Service: Kubernetes' `IsValidPortName`. */
const portName = /^(?=.*[a-z])(?!.*--)[a-z0-9](?:[-a-z0-9]{0,13}[a-z0-9])?$/;

function checkPorts(value: unknown, where: Where): Problem[] {
  const ports = at(value, 'ports');
  if (!isMapping(ports)) return [];
  const names = Object.keys(ports);
  if (names.length === 0) {
    const what = 'names no port, so that there is nothing to call';
    return [{ where: where('ports'), what, received: ports, fix: 'add one: { redis: 6379 }' }];
  }
  const numbers = names.map((name) => numbersOf(ports[name]));
  return names.flatMap((name, index): Problem[] => {
    const problems: Problem[] = [];
    if (!portName.test(name)) {
      const allowed = '1 to 15 of a-z, 0-9 and single inner hyphens, with at least one letter';
      problems.push({ where: where('ports'), what: 'is not the name of a port', received: name, allowed });
    }
    const before = numbers.slice(0, index);
    for (const key of ['port', 'servicePort'] as const) {
      const number = numbers[index]?.[key];
      const twin = names[before.findIndex((other) => number !== undefined && other[key] === number)];
      if (twin === undefined) continue;
      const whose = key === 'port' ? 'the container' : 'the Service';
      const what = `is the same port of ${whose} as that of ${twin}`;
      problems.push({ where: where('ports', name), what, received: number, fix: 'give each its own' });
      break;
    }
    return problems;
  });
}

/** Ports that a probe connects to are those of the container. */
function checkProbes(value: unknown, where: Where, known: readonly number[]): Problem[] {
  const probes = at(value, 'probes');
  if (!isMapping(probes)) return [];
  const asked = [
    [[], at(probes, 'tcp', 'port')] as const,
    ...(['startup', 'readiness', 'liveness'] as const).map(
      (stage) => [[stage], at(probes, stage, 'tcp', 'port')] as const,
    ),
  ];
  return asked.flatMap(([path, port]): Problem[] => {
    if (typeof port !== 'number' || known.length === 0 || known.includes(port)) return [];
    const what = 'is not one of the ports of the container';
    const place = where('probes', ...path, 'tcp', 'port');
    return [{ where: place, what, received: port, allowed: known.join(', ') }];
  });
}

/** Numbers of a port as it was given; what the schema refuses has none. */
function numbersOf(given: unknown): { readonly port?: number; readonly servicePort?: number } {
  const port = isMapping(given) ? given['port'] : given;
  if (typeof port !== 'number') return {};
  const servicePort = isMapping(given) ? (given['servicePort'] ?? port) : port;
  return { port, ...(typeof servicePort === 'number' && { servicePort }) };
}

/** The container that a sound declaration means. */
export function tcpConfig(name: string, parsed: ParsedTcp): ForeignConfig {
  const container = containerOf({ name, services: [] }, parsed);
  const tcp = Object.fromEntries(
    Object.entries(parsed.ports).map(([portName, given]) => {
      const { port, servicePort = port } = numbersOf(given);
      return [portName, { port: port ?? 0, servicePort: servicePort ?? 0 }];
    }),
  );
  const { probes, stateful } = parsed;
  const foreign = { ...container.foreign, probes, tcp, ...(stateful && { stateful }) };
  return { ...container, ports: {}, httpGateway: false, foreign };
}

/** The container that a sound declaration of one that serves plain HTTP means. */
export function httpConfig(name: string, parsed: ParsedHttp): ForeignConfig {
  const container = containerOf({ name, services: [] }, parsed);
  const { port, servicePort = port, probes } = parsed;
  return {
    ...container,
    ports: { http: port },
    httpGateway: false,
    foreign: { ...container.foreign, servicePort, probes },
  };
}
