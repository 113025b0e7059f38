import { k8s } from 'cdk8s-plus-28';
import type { ContainerConfig } from '../../../apps/config/app-config.ts';

/** `appProtocol` is what istiod reads a port's protocol from. */
export function servicePorts(ports: ContainerConfig['ports']): k8s.ServicePort[] {
  return (['grpc', 'http'] as const).flatMap((name) => {
    const port = ports[name];
    if (port === undefined) return [];
    return [{ name, port, targetPort: k8s.IntOrString.fromString(name), protocol: 'TCP', appProtocol: name }];
  });
}
