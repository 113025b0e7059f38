import type { Problem } from '../../../core/problem.ts';
import { field, list, mapping, ofKind, text, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedMesh } from '../../model/rendered.ts';
import { podsOf, selects, type Pods } from '../pods.ts';
import { containersOf } from '../rules/containers.ts';

/** Lists of a container that Kubernetes knows entries of by a key (core/v1, Container: `listMapKey`, `patchMergeKey`). */
const keys = { env: 'name', ports: 'name', volumeMounts: 'mountPath' } as const;

/** The port that Istio's injection adds to pods, by its name. */
const injected = ['http-envoy-prom'];

/**
 * What pods' containers say is said once, and what names one of their ports finds it. Of a variable that is there twice Kubernetes takes the last one,
 * and an apply from the server's side may take another; a port or volume that is there twice it refuses with the pods, and not with
 * their Deployment; and a Service whose pods have no port of its `targetPort` has no endpoints.
 */
export function containerLists({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const all = podsOf(cluster);
    return [...all.flatMap(ofPods), ...targets(cluster, all)];
  });
}

function ofPods({ of: { where, object }, pod }: Pods): readonly Problem[] {
  const at = (place: string) => ({ where, what: `${title(object)}: ${place}` });
  const volumes = twice(list(pod, 'spec', 'volumes'), 'name').map((received) => ({
    ...at('volumes'),
    received,
  }));
  const lists = containersOf(pod).flatMap(([place, container]) =>
    Object.entries(keys).flatMap(([name, key]) =>
      twice(list(container, name), key).map((received) => ({ ...at(`${place}.${name}`), received })),
    ),
  );
  return [
    ...[...volumes, ...lists].map(({ what, ...more }) => ({
      ...more,
      what: `${what} has an entry twice`,
      fix: 'say it once: replace the entry that is there, or remove it',
    })),
    ...containersOf(pod).flatMap(([place, container]) => {
      const names = portNames(container);
      return asked(container).flatMap(([from, received]) =>
        names.includes(received) ? [] : [unknownPort(at(`${place}.${from}`), received, names)],
      );
    }),
  ];
}

/** Values of a key that several entries of a list have. */
function twice(entries: readonly unknown[], key: string): readonly string[] {
  const values = entries.flatMap((entry) => text(entry, key) ?? []);
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

/** Names of ports by which a container's probes and hooks ask it. */
function asked(container: unknown): readonly (readonly [from: string, name: string])[] {
  const from = [
    ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((probe) => [probe]),
    ...['postStart', 'preStop'].map((hook) => ['lifecycle', hook]),
  ];
  return from.flatMap((path) =>
    ['httpGet', 'tcpSocket'].flatMap((way) => {
      const port = text(container, ...path, way, 'port');
      return port === undefined ? [] : [[[...path, way, 'port'].join('.'), port] as const];
    }),
  );
}

/** Services whose `targetPort` is a name that none of their pods has a port of. */
function targets(cluster: RenderedCluster, all: readonly Pods[]): readonly Problem[] {
  return ofKind(cluster, 'Service').flatMap(({ where, object }) => {
    const selector = mapping(object, 'spec', 'selector');
    const namespace = object.metadata.namespace ?? '';
    if (Object.keys(selector).length === 0) return [];
    const own = all.filter((pods) => pods.namespace === namespace && selects(selector, pods.labels));
    return list(object, 'spec', 'ports').flatMap((port) => {
      const received = text(port, 'targetPort');
      if (received === undefined || injected.includes(received)) return [];
      const names = own.map(({ containers }) => containers.flatMap(portNames));
      // Kubernetes leaves out pods without the port, and a Service may select others beside those that serve.
      if (names.some((known) => known.includes(received))) return [];
      return own.map(({ of }, index) => {
        const what = `${title(object)}: targetPort of port ${String(field(port, 'port'))}, in ${title(of.object)}`;
        return unknownPort({ where, what }, received, names[index] ?? []);
      });
    });
  });
}

function portNames(container: unknown): readonly string[] {
  return list(container, 'ports').flatMap((port) => text(port, 'name') ?? []);
}

function unknownPort(
  { where, what }: { readonly where: string; readonly what: string },
  received: string,
  names: readonly string[],
): Problem {
  return {
    where,
    what: `${what}, names a port that is not there`,
    received,
    allowed: names.length === 0 ? 'a number, as no port has a name' : [...new Set(names)].join(', '),
    fix: 'name a port of the container, or give the port that name',
  };
}
