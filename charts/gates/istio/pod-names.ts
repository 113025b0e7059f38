import type { Problem } from '../../../core/problem.ts';
import { field, ofKind, text, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedMesh } from '../../model/rendered.ts';
import { envOf, podsOf } from '../pods.ts';

/** A name of a single pod: `POD.SERVICE.NAMESPACE.svc[.cluster.local]` with an optional port. */
const names =
  /(?<![\w.@-])([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.([a-z](?:[-a-z0-9]*[a-z0-9])?)\.([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.svc(?:\.cluster\.local)?(?::(\d{1,5}))?(?![\w-]|\.[a-z])/g;

/** A single pod that a value names. */
interface SinglePod {
  /** As it stands there. */
  readonly name: string;
  readonly pod: string;
  readonly service: string;
  readonly namespace: string;
  readonly port: number | undefined;
}

/** The single pods that a value names. */
export function singlePodsIn(value: string): readonly SinglePod[] {
  return [...value.matchAll(names)].map(([name, pod = '', service = '', namespace = '', port]) => ({
    ...{ name, pod, service, namespace, port: port === undefined ? undefined : Number(port) },
  }));
}

/**
 * A single pod that an environment value of a workload names must be in the cluster of the workload: in another it has no name there, and Istio
 * has no way to it (https://github.com/istio/istio/issues/36733).
 */
export function podNames({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) =>
    podsOf(cluster).flatMap((pods) =>
      envOf(pods).flatMap(({ container, name, value }) =>
        singlePodsIn(value).flatMap(({ name: received, pod, service, namespace }): readonly Problem[] => {
          const { where, object } = pods.of;
          const at = `${title(object)}: env ${name} of container ${container}`;
          const has = (one: RenderedCluster) => podsNamed(one, service, namespace).includes(pod);
          const sets = clusters.flatMap((one) => setsOf(one, service, namespace));
          // A headless Service without a StatefulSet names no pods, or those of others do.
          if (sets.length === 0 || has(cluster)) return [];
          const elsewhere = clusters.filter(has).map((one) => one.name);
          const problem = { where, received };
          if (elsewhere.length > 0)
            return [
              {
                ...problem,
                what: `${at} names a single pod that is in ${elsewhere.join(' and ')}, and not in ${cluster.name}: such a name holds in its own cluster alone`,
                fix: 'run the workload where the pod is, or declare what has to be reached one by one from other clusters as a TcpService each',
              },
            ];
          const known = podsNamed(cluster, service, namespace);
          const what = `${at} names a single pod that there is in no cluster`;
          return [{ ...problem, what, ...(known.length === 0 ? {} : { allowed: listed(known) }) }];
        }),
      ),
    ),
  );
}

/** StatefulSets whose pods have their names by a Service. */
function setsOf(cluster: RenderedCluster, service: string, namespace: string) {
  return ofKind(cluster, 'StatefulSet')
    .map(({ object }) => object)
    .filter((set) => set.metadata.namespace === namespace && text(set, 'spec', 'serviceName') === service);
}

function podsNamed(cluster: RenderedCluster, service: string, namespace: string): readonly string[] {
  return setsOf(cluster, service, namespace).flatMap((set) => {
    const [replicas, start] = [
      field(set, 'spec', 'replicas') ?? 1,
      field(set, 'spec', 'ordinals', 'start') ?? 0,
    ];
    return Array.from(
      { length: Number(replicas) },
      (_, index) => `${set.metadata.name}-${Number(start) + index}`,
    );
  });
}

/** Names that a message has room for. */
const shown = 5;

function listed(pods: readonly string[]): string {
  return `${pods.slice(0, shown).join(', ')}${pods.length > shown ? ` and ${pods.length - shown} more` : ''}`;
}
