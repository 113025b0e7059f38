import type { IConstruct } from 'constructs';
import type { MeshModel } from '../model/mesh-model.ts';
import type { OthersInCluster } from '../model/rendered.ts';
import { ExistingCaller } from './existing/existing-caller.ts';
import { ExistingService } from './existing/existing-service.ts';

/** The declared services and callers of others as plain data, where there are any. */
export function existingModels(
  parts: readonly IConstruct[],
): Pick<MeshModel, 'existingServices' | 'existingCallers'> {
  const { services, callers } = declaredOthers(parts);
  return {
    ...(services.length === 0 ? {} : { existingServices: services.map(({ model }) => model) }),
    ...(callers.length === 0 ? {} : { existingCallers: callers.map(({ model }) => model) }),
  };
}

/** The same as the gates look at them, in one cluster. */
export function othersIn(parts: readonly IConstruct[], cluster: string): OthersInCluster {
  const { services, callers } = declaredOthers(parts);
  const here = services.filter(({ clusters }) => clusters.includes(cluster));
  return {
    hosts: new Map(here.map(({ host, ports }) => [host, Object.values(ports)])),
    accounts: callers.map(({ namespace, serviceAccount }) => `${namespace.name}/${serviceAccount}`),
    namespaces: [...here, ...callers].map(({ namespace }) => namespace.name),
  };
}

function declaredOthers(parts: readonly IConstruct[]) {
  return {
    services: parts.filter((part) => part instanceof ExistingService),
    callers: parts.filter((part) => part instanceof ExistingCaller),
  };
}
