import { k8s } from 'cdk8s-plus-28';
import { isForeign, type AnyConfig, type StatefulConfig } from '../../../apps/config/app-config.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Caller } from '../scope/method.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import type { TcpCallee, TcpPort } from '../scope/tcp-port.ts';
import { exportToAnnotations } from '../scope/visibility.ts';

/** What tells its pods apart, where something does. */
export function statefulOf(config: AnyConfig): StatefulConfig | undefined {
  return isForeign(config) ? config.foreign.stateful : undefined;
}

/** Name of the Service below which the pods of a service have names. */
export function podsService(name: string): string {
  return `${name}-pods`;
}

/** What the Service of single pods is made from. */
interface PodsServiceProps {
  readonly selector: Readonly<Record<string, string>>;
  /** Of the containers: nothing stands between a caller and a pod that could change the number. */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly exportTo: readonly string[];
  readonly placement: readonly string[];
}

/**
 * Adds the headless Service by which each pod has a name (https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/). It names pods
 * that are not ready, too: those of a group find each other before they are. The Service that is called stands beside it, with an
 * address of its own: what is headless Istio does not lead anywhere, and its callers would get to whatever their DNS names.
 */
export function addPodsService(
  into: Projection,
  { name, namespace }: Metadata,
  props: PodsServiceProps,
): void {
  const { selector, ports, exportTo, placement } = props;
  const differs = {
    because: 'names of single pods lead to pods of their own cluster alone',
    clusters: placement,
  };
  const metadata = { name: podsService(name), app: name, ...(namespace === undefined ? {} : { namespace }) };
  into.add(
    '40-services',
    k8s.KubeService,
    { ...metadata, annotations: exportToAnnotations(exportTo), differs },
    {
      spec: {
        clusterIp: 'None',
        publishNotReadyAddresses: true,
        selector,
        ports: ports.map((one) => ({
          ...{ name: one.name, port: one.port, targetPort: k8s.IntOrString.fromNumber(one.port) },
          ...{ protocol: 'TCP', appProtocol: 'tcp' },
        })),
      },
    },
  );
}

/**
 * What is wrong with calls of single pods: a name of one resolves in its own cluster, and Istio has no way to it from another
 * (istio issue 36733).
 * @param running - clusters in which the callee has pods
 */
export function podCallProblems(
  { where, mesh, podsHost }: Pick<TcpCallee, 'where' | 'mesh' | 'podsHost'>,
  callers: ReadonlyMap<Caller, readonly TcpPort[]>,
  running: readonly string[],
): readonly Problem[] {
  const all = mesh.clusters.map(({ name }) => name);
  return [...callers].flatMap(([caller, called]): readonly Problem[] => {
    const port = called.find(({ ofPods }) => ofPods);
    if (port === undefined) return [];
    const place = `${caller.where}: calls`;
    if (podsHost === undefined) {
      const what = `calls single pods of ${where}, which have no names that stay`;
      const fix = `call ${where}.port.${port.portName}, or declare ${where} with stateful: {}`;
      return [{ where: place, what, received: port, fix }];
    }
    const without = clustersOf(caller, all).filter((cluster) => !running.includes(cluster));
    if (without.length === 0) return [];
    return [
      {
        where: place,
        what: `calls single pods of ${where} also from clusters that have none: a name of a single pod holds in its own cluster alone`,
        received: without,
        allowed: running.join(', '),
        fix: `run the caller only where they are, or declare what has to be reached one by one from other clusters as a TcpService each`,
      },
    ];
  });
}

/** Clusters that a caller may run in; of one that belongs to others, nobody says. */
export function clustersOf({ clusters }: Caller, all: readonly string[]): readonly string[] {
  return clusters.length === 0 ? all : clusters;
}
