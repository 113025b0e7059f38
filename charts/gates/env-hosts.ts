import type { Problem } from '../../core/problem.ts';
import { hostsOf, knownNamespaces, nearestHost, qualified } from './hosts.ts';
import { isNamed, reaches, sidecarsOf } from './istio/egress.ts';
import { envOf, podsOf, selects } from './pods.ts';
import type { Pods } from './pods.ts';
import { singlePodsIn } from './istio/pod-names.ts';
import { list, mapping, ofKind, texts, title } from '../model/rendered.ts';
import type { RenderedMesh } from '../model/rendered.ts';

/** A host name in a value: `NAME.NAMESPACE[.svc[.cluster.local]]` with an optional port, or `NAME:PORT` in its own namespace; behind `@` that of a URL. */
const names =
  /(?<![\w.:-]|(?<!:\/\/[^\s/@]*)@)([a-z](?:[-a-z0-9]*[a-z0-9])?)(?:\.([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(\.svc(?:\.cluster\.local)?)?)?(?::(\d{1,5}))?(?![\w.-])/g;

/** A variable that is for an address, by its last word. */
const ofAddress =
  /(?:^|[_.-])(?:(?:ADDR(?:ESS)?|HOST|ENDPOINT|SERVER|BROKER|UPSTREAM|TARGET|URL|URI)(?:E?S)?|DSN)$/i;
/** `NAME:PORT` and nothing else, or where a URL begins: nothing but a host is written so there. */
const address =
  /^(?:([a-z][a-z\d+.:-]*):\/\/(?:[^\s/@]*@)?)?([a-z](?:[-a-z\d]*[a-z\d])?):(\d{1,5})(?:[/?#]\S*)?$/;

/**
 * A Service of the mesh that an environment value of a workload names must exist, have the port, and be one that the
 * workload may call: otherwise its proxy has no route to it.
 */
export function envHosts({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const hosts = hostsOf([cluster]);
    const namespaces = new Set(knownNamespaces(cluster));
    const sidecarOf = sidecarsOf(cluster);
    const outside = [...hosts.keys()].filter(isOutside);
    const services = ofKind(cluster, 'Service').map(({ object }) => object);
    return podsOf(cluster).flatMap((pods) =>
      envOf(pods).flatMap(({ container, name, value }) => {
        const { where, object } = pods.of;
        // The host of a ServiceEntry, such as that of the API server, which the workload may call.
        if (hosts.has(value) && isNamed(sidecarOf(pods), value)) return [];
        const at = `${title(object)}: env ${name} of container ${container}`;
        const isOwn = (host: string) =>
          services.some(
            (service) =>
              service.metadata.namespace === pods.namespace &&
              host.startsWith(`${service.metadata.name}.${pods.namespace}.`) &&
              selects(mapping(service, 'spec', 'selector'), pods.labels),
          );
        const external = outside
          .flatMap((host) => outsideNamed(value, host))
          .flatMap(({ host, port }): readonly Problem[] => {
            const ports = hosts.get(host) ?? [];
            if (!ports.includes(port)) {
              const what = `${at} names a port that ${host} does not have`;
              return [{ where, what, received: port, allowed: ports.join(', ') }];
            }
            if (isNamed(sidecarOf(pods), host, port)) return [];
            const what = `${at} names a port outside the mesh that the workload may not call`;
            const fix = 'declare the call with `callsExternal`, or remove the variable';
            return [{ where, what, received: `${host}:${port}`, fix }];
          });
        if (external.length > 0) return external;
        const isMeant = (named: string) =>
          hosts.has(qualified(named, pods.namespace)) || addressed(name, value, pods).includes(named);
        return namedHosts(value, pods.namespace, namespaces, hosts, isMeant).flatMap(
          ({ host, port, single = false }): readonly Problem[] => {
            const ports = hosts.get(host);
            if (ports === undefined) {
              const near = nearestHost(host, hosts.keys());
              const fix =
                near === undefined
                  ? 'declare it, such as a TcpService of this name, or remove the variable'
                  : `did you mean ${near}?`;
              return [{ where, what: `${at} names a host that resolves in no cluster`, received: host, fix }];
            }
            if (port !== undefined && !ports.includes(port)) {
              const what = `${at} names a port that ${host} does not have`;
              return [{ where, what, received: port, allowed: ports.join(', ') }];
            }
            // A pod gets to itself, and to the others of its kind only by a call that is declared.
            if ((isOwn(host) && !single) || reaches(sidecarOf(pods), pods.namespace, host)) return [];
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

/** The names that a variable for addresses has of hosts in the namespace of its pods, which no other place of theirs knows. */
function addressed(variable: string, value: string, { pod }: Pods): readonly string[] {
  if (!ofAddress.test(variable)) return [];
  const known = list(pod, 'spec', 'hostAliases').flatMap((alias) => texts(alias, 'hostnames'));
  return value.split(',').flatMap((one) => {
    const [, scheme, name = '', digits] = address.exec(one.trim()) ?? [];
    const isName = name !== '' && name !== 'localhost' && !known.includes(name);
    // A small number may be a share of something.
    return isName && (scheme !== undefined || Number(digits) >= 1024) ? [name] : [];
  });
}

function namedHosts(
  value: string,
  own: string,
  namespaces: ReadonlySet<string>,
  hosts: ReadonlyMap<string, readonly number[]>,
  isMeant: (name: string) => boolean,
): readonly Named[] {
  const singles = singlePodsIn(value).map(({ service, namespace, port }) => ({
    ...{ host: `${service}.${namespace}.svc.cluster.local`, port, single: true },
  }));
  const others = [...value.matchAll(names)].flatMap(
    ([, name = '', namespace, svc, digits]): readonly Named[] => {
      const port = digits === undefined ? undefined : Number(digits);
      const host = qualified(name, namespace ?? own);
      // A fully qualified name, or one with a port in a namespace of the mesh, can only mean a host. Names with a small
      // number, or without one, may also be ratios, topics or domains.
      if (svc !== undefined) return [{ host, port }];
      if (port === undefined) return [];
      // One that no service has is meant by what it stands in, whatever its number.
      const isUnknown = namespace === undefined && !hosts.has(host);
      if (port < 1024 && !isUnknown && hosts.get(host)?.includes(port) !== true) return [];
      const meant = namespace === undefined ? isMeant(name) : namespaces.has(namespace);
      return meant ? [{ host, port }] : [];
    },
  );
  return [...singles, ...others];
}

/** Whether a host is outside the mesh: that of a ServiceEntry, and of one host alone. */
function isOutside(host: string): boolean {
  return !host.includes('*') && !/\.svc(?:\.cluster\.local)?$/.test(host);
}

/** Where a value names such a host with a port: without one, it may be a domain, an address of a person or an issuer. */
function outsideNamed(
  value: string,
  host: string,
): readonly { readonly host: string; readonly port: number }[] {
  if (!value.includes(host)) return [];
  const address = new RegExp(
    `(?<![\\w.:-])${host.replaceAll('.', String.raw`\.`)}:(\\d{1,5})(?![\\w.-])`,
    'g',
  );
  return [...value.matchAll(address)].map(([, digits]) => ({ host, port: Number(digits) }));
}
