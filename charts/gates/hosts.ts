import { nearest } from '../../core/names.ts';
import type { Problem } from '../../core/problem.ts';
import { field, list, ofKind, text, texts, title } from '../model/rendered.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../model/rendered.ts';

/** Ports by host name, of all Services and ServiceEntries of the clusters, including wildcards. */
export type Hosts = ReadonlyMap<string, readonly number[]>;

const suffix = '.svc.cluster.local';

/** The hosts of all clusters together, those of others among them: primaries discover each other's Services. */
export function hostsOf(clusters: readonly RenderedCluster[]): Hosts {
  const hosts = new Map<string, readonly number[]>(clusters.flatMap(({ others }) => [...others.hosts]));
  for (const cluster of clusters) {
    for (const { object } of ofKind(cluster, 'Service', 'ServiceEntry')) {
      const { namespace = '', name } = object.metadata;
      const names =
        object.kind === 'Service' ? [`${name}.${namespace}${suffix}`] : texts(object, 'spec', 'hosts');
      const key = object.kind === 'Service' ? 'port' : 'number';
      const ports = list(object, 'spec', 'ports')
        .map((port) => field(port, key))
        .filter((port) => typeof port === 'number');
      for (const host of names) hosts.set(host, [...new Set([...(hosts.get(host) ?? []), ...ports])]);
    }
  }
  return hosts;
}

/** The full host name, as Istio completes it: a name without a dot is a Service of the same namespace. */
export function qualified(host: string, namespace = ''): string {
  return host.includes('.') || host === '*' ? host : `${host}.${namespace}${suffix}`;
}

/** The known host that a name refers to: itself, or the wildcard that covers it. */
export function hostFor(hosts: ReadonlyMap<string, unknown>, name: string): string | undefined {
  if (hosts.has(name)) return name;
  const labels = name.split('.');
  for (let index = 1; index < labels.length; index++) {
    const wildcard = `*.${labels.slice(index).join('.')}`;
    if (hosts.has(wildcard)) return wildcard;
  }
  return undefined;
}

/**
 * The host nearest to a mistyped one, if any is near; the suffix that all of them share is ignored, and a namespace that both have makes
 * no two names near.
 */
export function nearestHost(host: string, hosts: Iterable<string>): string | undefined {
  const short = (name: string) => (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name);
  const first = (name: string) => name.split('.')[0] ?? name;
  const alike = [...hosts].filter((name) => nearest(first(host), [first(name)]) !== undefined);
  const byShort = new Map(alike.map((name) => [short(name), name]));
  const near = nearest(short(host), byShort.keys());
  return near === undefined ? undefined : byShort.get(near);
}

/** Whether a pattern such as `*.local`, `*` or a name itself covers the name. */
export function covers(pattern: string, name: string): boolean {
  if (pattern === '*' || pattern === name) return true;
  return pattern.startsWith('*.') && name.endsWith(pattern.slice(1));
}

/** Every name in traffic policy, including wildcards, must refer to a host of some cluster. */
export function unknownHosts({ clusters }: RenderedMesh): readonly Problem[] {
  const hosts = hostsOf(clusters);
  const all = [...hosts.keys()];
  const suffixes = new Set(all.flatMap(parents));
  const namespaces = new Set(clusters.flatMap((cluster) => knownNamespaces(cluster)));
  const known = (name: string) => {
    if (name === '*') return true;
    return name.startsWith('*.') ? suffixes.has(name.slice(1)) : hostFor(hosts, name) !== undefined;
  };
  const check = (rendered: RenderedObject, path: string, name: string): readonly Problem[] => {
    const { object, where } = rendered;
    const full = qualified(name, object.metadata.namespace);
    if (known(full)) return [];
    const near = nearestHost(full, all);
    return [
      {
        where,
        what: `${title(object)}: ${path} resolves in no cluster`,
        received: name,
        allowed: 'the host of a Service or ServiceEntry of the mesh',
        ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
      },
    ];
  };
  return clusters.flatMap((cluster) => [
    ...ofKind(cluster, 'DestinationRule').flatMap((rule) =>
      check(rule, 'spec.host', text(rule.object, 'spec', 'host') ?? ''),
    ),
    ...ofKind(cluster, 'VirtualService').flatMap((service) => [
      ...destinationsOf(service.object).flatMap(({ host, path }) => check(service, path, host)),
      ...(inSidecars(service.object) ? texts(service.object, 'spec', 'hosts') : []).flatMap((name, index) =>
        check(service, `spec.hosts.${index}`, name),
      ),
    ]),
    // Names that a gateway serves to the outside are resolved outside the mesh.
    ...ofKind(cluster, 'Gateway').flatMap((gateway) =>
      list(gateway.object, 'spec', 'servers').flatMap((server, index) =>
        texts(server, 'hosts')
          .map((entry) => entry.split('/').at(-1) ?? entry)
          .filter((name) => name.endsWith('.local'))
          .flatMap((name) => check(gateway, `spec.servers.${index}.hosts`, name)),
      ),
    ),
    ...ofKind(cluster, 'Sidecar').flatMap((sidecar) =>
      list(sidecar.object, 'spec', 'egress').flatMap((listener, index) =>
        texts(listener, 'hosts').flatMap((entry) => {
          const path = `spec.egress.${index}.hosts`;
          const [namespace = '', name = ''] = entry.split('/');
          if (['*', '.', '~'].includes(namespace) || namespaces.has(namespace)) {
            return check(sidecar, path, name);
          }
          return [
            {
              where: sidecar.where,
              what: `${title(sidecar.object)}: ${path} names a namespace that no cluster has`,
              received: entry,
            },
          ];
        }),
      ),
    ),
  ]);
}

/** Whether a VirtualService applies to sidecars (it may apply to gateways as well). */
export function inSidecars(virtualService: object): boolean {
  const gateways = texts(virtualService, 'spec', 'gateways');
  return gateways.length === 0 || gateways.includes('mesh');
}

/** A destination of a VirtualService's routes and mirrors. */
export interface Destination {
  readonly path: string;
  readonly host: string;
  readonly subset: string | undefined;
  readonly port: unknown;
}

/** The destinations of a VirtualService's routes and mirrors. */
export function destinationsOf(virtualService: object): readonly Destination[] {
  return ['http', 'tls', 'tcp'].flatMap((protocol) =>
    list(virtualService, 'spec', protocol).flatMap((route, index) => {
      const at = `spec.${protocol}.${index}`;
      return [
        ...list(route, 'route').map((entry, part) => [`${at}.route.${part}`, field(entry, 'destination')]),
        ...list(route, 'mirrors').map((entry, part) => [
          `${at}.mirrors.${part}`,
          field(entry, 'destination'),
        ]),
        ...(field(route, 'mirror') === undefined ? [] : [[`${at}.mirror`, field(route, 'mirror')]]),
      ].map(([path, destination]) => ({
        path: String(path),
        host: text(destination, 'host') ?? '',
        subset: text(destination, 'subset'),
        port: field(destination, 'port', 'number'),
      }));
    }),
  );
}

/** Names of a cluster's namespaces. */
export function namespacesOf(cluster: RenderedCluster): readonly string[] {
  return ofKind(cluster, 'Namespace').map(({ object }) => object.metadata.name);
}

/** The same, and those of others that the mesh has to do with. */
export function knownNamespaces(cluster: RenderedCluster): readonly string[] {
  return [...namespacesOf(cluster), ...cluster.others.namespaces];
}

/** `.b.c` and `.c` of `a.b.c`. */
function parents(host: string): readonly string[] {
  const labels = host.split('.');
  return labels.slice(1).map((_, index) => `.${labels.slice(index + 1).join('.')}`);
}
