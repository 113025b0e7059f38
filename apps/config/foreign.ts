import { imageProblem, imageRule } from '../../core/image-reference.ts';
import type { Problem } from '../../core/problem.ts';
import type { ForeignConfig } from './container.ts';
import { checkEnv } from './env-rules.ts';
import type { ParsedForeign, ParsedHttp, ParsedTcp } from './foreign-schema.ts';
import { at, isMapping, type Where } from './mapping.ts';
import { checkAutoscaling, checkShutdown } from './pod-rules.ts';
import { checkResources, checkServices } from './rules.ts';

/** What of a container whose image is built elsewhere the schema does not see: whether its fields fit each other. */
export function checkForeignRules(value: unknown, where: Where): Problem[] {
  return [
    ...checkImage(value, where),
    ...checkServices(value, where),
    ...checkPorts(value, where),
    ...checkResources(value, where),
    ...checkAutoscaling(value, where),
    ...checkShutdown(value, where),
    ...checkEnv(value, where, false),
  ];
}

export function checkImage(value: unknown, where: Where): Problem[] {
  const image = at(value, 'image');
  const what = typeof image === 'string' ? imageProblem(image) : undefined;
  return what === undefined ? [] : [{ where: where('image'), what, received: image, allowed: imageRule }];
}

function checkPorts(value: unknown, where: Where): Problem[] {
  const [port, ports] = [at(value, 'port'), at(value, 'ports')];
  if (port !== undefined && ports !== undefined) {
    const what = 'cannot be combined with ports, which has the same';
    return [{ where: where('port'), what, received: port, fix: 'keep one' }];
  }
  if (port === undefined && ports === undefined) {
    return [{ where: where('port'), what: 'missing', allowed: 'the port on which its gRPC server listens' }];
  }
  if (!isMapping(ports)) return [];
  const { grpc, http } = ports;
  if (grpc === undefined) {
    const what = 'missing, but the container has gRPC services to serve';
    return [{ where: where('ports', 'grpc'), what, fix: 'add the port on which its gRPC server listens' }];
  }
  if (http === undefined) return [];
  if (at(value, 'httpGateway') !== true) {
    const what = 'is the port of the HTTP gateway, which is not asked for';
    const fix = 'remove it, or add httpGateway: true';
    return [{ where: where('ports', 'http'), what, received: http, fix }];
  }
  if (grpc !== http) return [];
  const fix = 'give each its own port';
  return [{ where: where('ports', 'http'), what: 'the same as ports.grpc', received: http, fix }];
}

/** The container that a sound declaration means. */
export function foreignConfig(said: Said, parsed: ParsedForeign & Pick<ForeignConfig, 'pod'>): ForeignConfig {
  const { port, ports = {}, servicePort, httpGateway, probes } = parsed;
  const grpc = port ?? ports.grpc ?? 0;
  const container = containerOf(said, parsed);
  return {
    ...container,
    ports: { grpc, ...(ports.http !== undefined && { http: ports.http }) },
    httpGateway,
    ...(parsed.pod !== undefined && { pod: parsed.pod }),
    foreign: { ...container.foreign, servicePort: servicePort ?? grpc, probes },
  };
}

interface Said {
  readonly name: string;
  readonly services: readonly string[];
}

/** What of a container is alike, whatever it serves. */
export function containerOf(said: Said, parsed: ParsedForeign | ParsedHttp | ParsedTcp) {
  const { image, imagePullSecrets, command, args, user, metrics } = parsed;
  const { resources, replicas, autoscaling, shutdown, env } = parsed;
  return {
    name: said.name,
    services: said.services,
    resources: resources as ForeignConfig['resources'],
    replicas,
    ...(autoscaling !== undefined && { autoscaling }),
    shutdown,
    env,
    foreign: {
      reference: image,
      pullSecrets: imagePullSecrets,
      ...(command !== undefined && { command }),
      ...(args !== undefined && { args }),
      ...(user !== undefined && { user }),
      ...(metrics !== undefined && { metrics }),
    },
  };
}
