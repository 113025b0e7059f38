import type { DescService } from '@bufbuild/protobuf';
import type { ContainerConfig } from '../../../apps/config/app-config.ts';
import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import type { GatewayDescriptors } from '../http/gateway-descriptors.ts';
import { httpGatewayApp } from '../http/http-transcoding.ts';
import { ruleProblems } from '../http/rule-problems.ts';
import { isService } from './descriptor.ts';

/** A service as it was declared, beside what its config.yml says, or its properties in the place of one. */
interface Declared {
  readonly where: string;
  /** Folder of its config.yml. @default - it has none */
  readonly app: string | undefined;
  readonly configName: string;
  /** What was given for its descriptors. */
  readonly services: readonly unknown[];
  /** Proto services that services of the mesh are declared with, by name: found by looking at each, so only where it has to be. */
  readonly known: () => ReadonlyMap<string, DescService>;
  /** The proto services that it serves. */
  readonly served: readonly DescService[];
  readonly descriptors: GatewayDescriptors | undefined;
  /** Of its HTTP gateway. @default - it has none, or one whose config.yml is wrong */
  readonly gatewayPorts?: ContainerConfig['ports'];
}

/** Where what is declared of a service, and what is said of its container, do not fit each other. */
export function serviceProblems(declared: Declared, config: ContainerConfig): readonly Problem[] {
  const { where, app, configName, served, descriptors, gatewayPorts } = declared;
  const { httpGateway, ports } = config;
  const unlisted = unlistedProblems(declared, config.services);
  const problems = [...unlisted];
  if (unlisted.length === 0 && app !== undefined)
    problems.push(...unknownProblems(declared, config.services));
  const at = app === undefined ? `${where}: port` : `${where}: app`;
  if (gatewayPorts !== undefined && gatewayPorts.http === undefined) {
    problems.push({
      where: at,
      what: `${configName} asks for an HTTP gateway, and neither it nor ${httpGatewayApp}/config.yml has ports.http`,
      fix: 'add ports.http, usually 8080',
    });
  }
  if (httpGateway) {
    const methods = served.flatMap((service) => service.methods);
    problems.push(...ruleProblems(`${where}: httpGateway`, methods));
    const fewer = 'serve some of its services by an app of their own';
    problems.push(...(descriptors?.problems(`${where}: httpGateway`, fewer) ?? []));
  }
  const http = gatewayPorts?.http;
  if (http !== undefined && http === ports.grpc) {
    problems.push({
      where: at,
      what: `ports.grpc in ${configName} is also the port of its HTTP gateway`,
      received: http,
      fix: 'give ports.grpc, or ports.http there, another number',
    });
  }
  return problems;
}

/** Proto services that it is declared with, and its container does not serve. */
function unlistedProblems(
  { where, configName, services }: Declared,
  names: readonly string[],
): readonly Problem[] {
  return services.flatMap((one, index): readonly Problem[] => {
    if (!isService(one)) return [];
    const { typeName } = one as DescService;
    if (names.includes(typeName)) return [];
    return [
      {
        where: `${where}: ${services.length === 1 ? 'service' : `services[${index}]`}`,
        what: `${configName} does not list it in services`,
        received: typeName,
        allowed: names.length === 0 ? 'none, as services is empty' : names.join(', '),
        fix: `pass a service the app serves, or add ${typeName} to services in ${configName}`,
      },
    ];
  });
}

/** Proto services in its config.yml whose descriptors nothing in the mesh has. */
function unknownProblems(
  { configName, services, known }: Declared,
  names: readonly string[],
): readonly Problem[] {
  const own = services.filter(isService).map((one) => (one as DescService).typeName);
  if (names.every((name) => own.includes(name))) return [];
  const others = [...known().keys()].sort();
  return names.flatMap((received, index): readonly Problem[] => {
    if (own.includes(received) || others.includes(received)) return [];
    const near = nearest(received, others);
    return [
      {
        where: `${configName}: services[${index}]`,
        what: 'no GrpcService of the mesh is declared with this proto service',
        received,
        allowed: others.join(', '),
        fix: near === undefined ? 'declare one with it, or remove it' : `did you mean ${near}?`,
      },
    ];
  });
}
