import type { Problem } from '../../../core/problem.ts';
import { hostFor, hostsOf } from '../hosts.ts';
import { exportedTo } from '../routes.ts';
import { field, list, ofKind, push, text, texts, title } from '../../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../../model/rendered.ts';

/** Protocols by which a proxy knows the host that is called, whatever its address. */
const named = ['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB', 'HTTPS', 'TLS'];

/**
 * What lies outside the mesh is called by what is declared of it: not by an alias for a host that nobody declares, not at any
 * address of a port, and not by two protocols at one port.
 */
export function outside({ clusters }: RenderedMesh): readonly Problem[] {
  const hosts = hostsOf(clusters);
  return clusters.flatMap((cluster) => {
    const entries = ofKind(cluster, 'ServiceEntry');
    const byHost = new Map<string, RenderedObject[]>();
    return [
      ...ofKind(cluster, 'Service').flatMap(({ where, object }): readonly Problem[] => {
        const received = text(object, 'spec', 'externalName') ?? '';
        if (text(object, 'spec', 'type') !== 'ExternalName' || hostFor(hosts, received) !== undefined)
          return [];
        const what = `${title(object)}: spec.externalName names a host that the mesh does not know, so proxies cannot call it`;
        return [
          {
            where,
            what,
            received,
            fix: 'declare the host as an ExternalService, and call it by its own name',
          },
        ];
      }),
      ...entries.flatMap(anyAddress),
      ...entries.flatMap((entry) => {
        const beside = new Set(
          texts(entry.object, 'spec', 'hosts').flatMap((host) => byHost.get(host) ?? []),
        );
        for (const host of texts(entry.object, 'spec', 'hosts')) push(byHost, host, entry);
        const found = [...beside].flatMap((earlier) => otherProtocol(entry, earlier));
        // Each port of a host once, though it may be unlike several.
        return [...new Map(found.reverse().map(({ port, problem }) => [port, problem])).values()];
      }),
    ];
  });
}

/** Ports of plain TCP for whatever address: the proxy lets every call to them out (`resolution: NONE` is the default). */
function anyAddress({ where, object }: RenderedObject): readonly Problem[] {
  if ((text(object, 'spec', 'resolution') ?? 'NONE') !== 'NONE') return [];
  if (list(object, 'spec', 'addresses').length > 0) return [];
  return list(object, 'spec', 'ports').flatMap((port, index): readonly Problem[] => {
    const protocol = (text(port, 'protocol') ?? 'TCP').toUpperCase();
    if (named.includes(protocol)) return [];
    const what = `${title(object)}: spec.ports[${index}] allows calls to port ${String(field(port, 'number'))} of every address, because neither addresses nor resolution say where the host is`;
    return [{ where, what, received: protocol, fix: 'give its addresses, or resolution: DNS' }];
  });
}

interface OtherProtocol {
  /** `host:number`. */
  readonly port: string;
  readonly problem: Problem;
}

/** Ports of a host that two ServiceEntries, seen by one namespace, give different protocols. */
function otherProtocol(later: RenderedObject, earlier: RenderedObject): readonly OtherProtocol[] {
  const { where, object } = later;
  const beside = earlier.object;
  if (!meet(object, beside)) return [];
  const hosts = texts(beside, 'spec', 'hosts');
  return texts(object, 'spec', 'hosts')
    .filter((host) => hosts.includes(host))
    .flatMap((host) =>
      list(object, 'spec', 'ports').flatMap((port): readonly OtherProtocol[] => {
        const number = field(port, 'number');
        const other = list(beside, 'spec', 'ports').find((one) => field(one, 'number') === number);
        const [received, allowed] = [protocolOf(port), protocolOf(other)];
        if (other === undefined || received === allowed) return [];
        const what = `${title(object)} gives port ${String(number)} of ${host} a different protocol than ${title(beside)} of ${earlier.where}`;
        const problem = { where, what, received, allowed, fix: 'keep one of them' };
        return [{ port: `${host}:${String(number)}`, problem }];
      }),
    );
}

function protocolOf(port: unknown): string {
  return (text(port, 'protocol') ?? 'TCP').toUpperCase();
}

/** Whether there is a namespace that sees both. */
function meet(a: RenderedObject['object'], b: RenderedObject['object']): boolean {
  const seenIn = (object: RenderedObject['object'], namespace: string) =>
    exportedTo(field(object, 'spec', 'exportTo'), object.metadata.namespace ?? '', namespace);
  const namespaces = [a, b].flatMap((object) => [
    object.metadata.namespace ?? '',
    ...texts(object, 'spec', 'exportTo').filter((name) => !['.', '*', '~'].includes(name)),
  ]);
  return namespaces.some((namespace) => seenIn(a, namespace) && seenIn(b, namespace));
}
