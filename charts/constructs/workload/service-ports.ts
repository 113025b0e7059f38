import { k8s } from 'cdk8s-plus-28';
import { isForeign, type AnyConfig, type TcpPorts } from '../../../apps/config/app-config.ts';

type Ports = AnyConfig['ports'];

/**
 * Ports of a Service. `appProtocol` is what istiod reads a port's protocol from: by `tcp`, proxies pass on what comes as it comes, from either
 * side. Where the server speaks first (MySQL, SMTP), they would else wait for what the client never says.
 * @param ports - of the Service, for gRPC and HTTP
 */
export function servicePorts(ports: Ports, config: AnyConfig): k8s.ServicePort[] {
  const requests = (['grpc', 'http'] as const).flatMap((name): k8s.ServicePort[] => {
    const port = ports[name];
    if (port === undefined) return [];
    return [{ name, port, targetPort: k8s.IntOrString.fromString(name), protocol: 'TCP', appProtocol: name }];
  });
  const others = Object.entries(tcpPorts(config)).map(([name, { port, servicePort }]): k8s.ServicePort => {
    const targetPort = k8s.IntOrString.fromNumber(port);
    return { name, port: servicePort, targetPort, protocol: 'TCP', appProtocol: 'tcp' };
  });
  return [...requests, ...others];
}

/** Ports over TCP by name; none of what serves gRPC. */
export function tcpPorts(config: AnyConfig): Readonly<Record<string, TcpPorts>> {
  return (isForeign(config) ? config.foreign.tcp : undefined) ?? {};
}

/**
 * Numbers of the ports of pods by name, whatever they serve.
 * @param ports - of the pods, for gRPC and HTTP
 */
export function namedPorts(ports: Ports, config: AnyConfig): Readonly<Record<string, number>> {
  const others = Object.entries(tcpPorts(config)).map(([name, { port }]) => [name, port] as const);
  return { ...ports, ...Object.fromEntries(others) };
}

/**
 * Numbers of the ports of a Service by the same names.
 * @param ports - of the Service, for gRPC and HTTP
 */
export function servedPorts(ports: Ports, config: AnyConfig): Readonly<Record<string, number>> {
  const others = Object.entries(tcpPorts(config)).map(([name, one]) => [name, one.servicePort] as const);
  return { ...ports, ...Object.fromEntries(others) };
}
