import type { Problem } from '../../core/problem.ts';
import { covers, hostsOf, knownNamespaces, nearestHost } from './hosts.ts';
import { envOf, podsOf, selects } from './pods.ts';
import type { Pods } from './pods.ts';
import { singlePodsIn } from './istio/pod-names.ts';
import { list, mapping, ofKind, push, texts, title } from '../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../model/rendered.ts';

/** A host name in a value: `NAME.NAMESPACE[.svc[.cluster.local]]` with an optional port, or `NAME:PORT` in its own namespace. */
const names =
  /(?<![\w.:@-])([a-z](?:[-a-z0-9]*[a-z0-9])?)(?:\.([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(\.svc(?:\.cluster\.local)?)?)?(?::(\d{1,5}))?(?![\w.-])/g;

/**
 * A Service of the mesh that an environment value of a workload names must exist, have the port, and be one that the
 * workload may call: otherwise its proxy has no route to it.
 */
export function envHosts({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const hosts = hostsOf([cluster]);
    const namespaces = new Set(knownNamespaces(cluster));
    const sidecars = new Map<string, RenderedObject[]>();
    for (const sidecar of ofKind(cluster, 'Sidecar')) {
      push(sidecars, sidecar.object.metadata.namespace ?? '', sidecar);
    }
    const bySelector = indexed(sidecars);
    const services = ofKind(cluster, 'Service').map(({ object }) => object);
    return podsOf(cluster).flatMap((pods) =>
      envOf(pods).flatMap(({ container, name, value }) => {
        const { where, object } = pods.of;
        // The host of a ServiceEntry, such as that of the API server, which the workload may call.
        if (hosts.has(value) && isNamed(bySelector(pods), value)) return [];
        const at = `${title(object)}: env ${name} of container ${container}`;
        const isOwn = (host: string) =>
          services.some(
            (service) =>
              service.metadata.namespace === pods.namespace &&
              host.startsWith(`${service.metadata.name}.${pods.namespace}.`) &&
              selects(mapping(service, 'spec', 'selector'), pods.labels),
          );
        return namedHosts(value, pods.namespace, namespaces, hosts).flatMap(
          ({ host, port, single = false }): readonly Problem[] => {
            const ports = hosts.get(host);
            if (ports === undefined) {
              const near = nearestHost(host, hosts.keys());
              const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
              return [
                { where, what: `${at} names a host that resolves in no cluster`, received: host, ...fix },
              ];
            }
            if (port !== undefined && !ports.includes(port)) {
              const what = `${at} names a port that ${host} does not have`;
              return [{ where, what, received: port, allowed: ports.join(', ') }];
            }
            // A pod gets to itself, and to the others of its kind only by a call that is declared.
            if ((isOwn(host) && !single) || reaches(bySelector(pods), pods.namespace, host)) return [];
            return [
              {
                where,
                what: `${at} names a host that the workload may not call`,
                received: host,
                fix: 'declare the call with `calls`, or remove the variable',
              },
            ];
          },
        );
      }),
    );
  });
}

interface Named {
  readonly host: string;
  readonly port: number | undefined;
  /** Whether a single pod is named, below the host. @default false */
  readonly single?: boolean;
}

function namedHosts(
  value: string,
  own: string,
  namespaces: ReadonlySet<string>,
  hosts: ReadonlyMap<string, readonly number[]>,
): readonly Named[] {
  const singles = singlePodsIn(value).map(({ service, namespace, port }) => ({
    ...{ host: `${service}.${namespace}.svc.cluster.local`, port, single: true },
  }));
  const others = [...value.matchAll(names)].flatMap(
    ([, name = '', namespace, svc, digits]): readonly Named[] => {
      const port = digits === undefined ? undefined : Number(digits);
      const host = `${name}.${namespace ?? own}.svc.cluster.local`;
      // A fully qualified name, or one with a port in a namespace of the mesh, can only mean a host. Names with a small
      // number, or without one, may also be ratios, topics or domains.
      if (svc !== undefined) return [{ host, port }];
      if (port === undefined || (port < 1024 && hosts.get(host)?.includes(port) !== true)) return [];
      const meant = namespace === undefined ? hosts.has(host) : namespaces.has(namespace);
      return meant ? [{ host, port }] : [];
    },
  );
  return [...singles, ...others];
}

/** Finds the Sidecar of pods. Looks up the whole selector first, which finds a workload's own Sidecar directly. */
function indexed(
  sidecars: ReadonlyMap<string, readonly RenderedObject[]>,
): (pods: Pods) => RenderedObject | undefined {
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

/** Whether a Sidecar names a host as it stands, of whatever namespace. */
function isNamed(sidecar: RenderedObject | undefined, host: string): boolean {
  return list(sidecar?.object, 'spec', 'egress').some((listener) =>
    texts(listener, 'hosts').some((entry) => entry.endsWith(`/${host}`)),
  );
}

/** Whether a Sidecar lets its workload reach a host; without a Sidecar it reaches all hosts. */
function reaches(sidecar: RenderedObject | undefined, own: string, host: string): boolean {
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
