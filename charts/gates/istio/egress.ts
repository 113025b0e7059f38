import { list, field, mapping, ofKind, push, texts } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedObject } from '../../model/rendered.ts';
import { covers } from '../hosts.ts';
import { podsOf, selects, type Pods } from '../pods.ts';

/** Finds the Sidecar of pods. Looks up the whole selector first, which finds a workload's own Sidecar directly. */
export function sidecarsOf(cluster: RenderedCluster): (pods: Pods) => RenderedObject | undefined {
  const sidecars = new Map<string, RenderedObject[]>();
  for (const sidecar of ofKind(cluster, 'Sidecar')) {
    push(sidecars, sidecar.object.metadata.namespace ?? '', sidecar);
  }
  const exact = new Map<string, RenderedObject>();
  const rest = new Map<string, RenderedObject[]>();
  for (const [namespace, all] of sidecars) {
    for (const sidecar of all) {
      const [first, ...more] = Object.entries(mapping(sidecar.object, 'spec', 'workloadSelector', 'labels'));
      if (first !== undefined && more.length === 0) exact.set(`${namespace} ${first.join('=')}`, sidecar);
      else push(rest, namespace, sidecar);
    }
  }
  return ({ namespace, labels }) => {
    for (const label of Object.entries(labels)) {
      const found = exact.get(`${namespace} ${label.join('=')}`);
      if (found !== undefined) return found;
    }
    return rest
      .get(namespace)
      ?.find(({ object }) => selects(mapping(object, 'spec', 'workloadSelector', 'labels'), labels));
  };
}

/**
 * Whether a Sidecar names a host as it stands, of whatever namespace.
 * @param port - one that it lets its workload call there. @default - any
 */
export function isNamed(sidecar: RenderedObject | undefined, host: string, port?: number): boolean {
  return list(sidecar?.object, 'spec', 'egress').some((listener) => {
    const only = field(listener, 'port', 'number');
    if (port !== undefined && only !== undefined && only !== port) return false;
    return texts(listener, 'hosts').some((entry) => entry.endsWith(`/${host}`));
  });
}

/** Whether a Sidecar lets its workload reach a host; without a Sidecar it reaches all hosts. */
export function reaches(sidecar: RenderedObject | undefined, own: string, host: string): boolean {
  if (sidecar === undefined) return true;
  const namespace = host.split('.')[1];
  return list(sidecar.object, 'spec', 'egress').some((listener) =>
    texts(listener, 'hosts').some((entry) => {
      const [from, name = ''] = entry.split('/');
      const known = from === '*' || from === namespace || (from === '.' && own === namespace);
      return known && covers(name, host);
    }),
  );
}

/**
 * Whether hosts are told apart by who calls them: each is one that some Sidecar names, and no pods are led to both.
 * @param namespaces - whose proxies may know of both
 */
export function isApart(
  cluster: RenderedCluster,
  one: readonly string[],
  other: readonly string[],
  namespaces: readonly string[],
): boolean {
  const sidecars = ofKind(cluster, 'Sidecar');
  const named = [...one, ...other].every((host) => sidecars.some((sidecar) => isNamed(sidecar, host)));
  if (!named) return false;
  const sidecarOf = sidecarsOf(cluster);
  return podsOf(cluster)
    .filter(({ namespace }) => namespaces.includes(namespace))
    .every((pods) => {
      const sidecar = sidecarOf(pods);
      const leads = (hosts: readonly string[]) =>
        hosts.some((host) =>
          list(sidecar?.object, 'spec', 'egress').some((listener) =>
            texts(listener, 'hosts').some((entry) => covers(entry.split('/').at(-1) ?? '', host)),
          ),
        );
      return sidecar !== undefined && !(leads(one) && leads(other));
    });
}
