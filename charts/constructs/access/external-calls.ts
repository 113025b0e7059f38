import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Namespace } from '../scope/mesh-construct.ts';
import { UnknownPort } from '../scope/tcp-port.ts';
import type { Egress, EgressPort } from './egress.ts';
import { isExternalPort, listenerKind, type ExternalPort } from './external-port.ts';
import { ExternalService } from './external-service.ts';

/** What `callsExternal` takes: a host outside the mesh with all its ports, or some of these. */
export type ExternalCall<C extends string = string> = ExternalService<C, string> | ExternalPort<C>;

/** The ports of what a workload calls outside the mesh, each once; plain JavaScript may have passed anything. */
export function calledPorts(calls: readonly unknown[]): readonly ExternalPort[] {
  const ports = calls.flatMap((call): readonly ExternalPort[] => {
    if (call instanceof ExternalService) return call.allPorts;
    return isExternalPort(call) ? [call] : [];
  });
  return [...new Set(ports)];
}

/** Hosts outside the mesh that a workload calls, with the ports it may call there. */
export function externalEgress(calls: readonly unknown[]): readonly Egress[] {
  const byHost = Map.groupBy(calledPorts(calls), ({ service }) => service);
  return [...byHost].map(([{ namespace, host, allPorts }, ports]) => ({
    host: `${namespace.name}/${host}`,
    ports: ports.map(listenerOf),
    ...(ports.length < allPorts.length ? { partial: true } : {}),
  }));
}

function listenerOf({ props, service }: ExternalPort): EgressPort {
  const { addresses } = service;
  return { number: props.port, kind: listenerKind(props), ...(addresses === undefined ? {} : { addresses }) };
}

/**
 * What is wrong with what a workload says it calls outside the mesh; plain JavaScript may pass anything.
 * @param inside - ports of what else its proxy leads it to
 * @param namespace - where it runs
 */
export function externalCallProblems(
  where: string,
  mesh: object,
  calls: readonly unknown[],
  inside: readonly EgressPort[],
  namespace: Pick<Namespace<string>, 'name' | 'shared'>,
): readonly Problem[] {
  const all = calledPorts(calls);
  const hosts = [...new Set(all.map(({ service }) => service))];
  return calls.flatMap((call, index): readonly Problem[] => {
    const at = `${where}: callsExternal[${index}]`;
    if (call instanceof UnknownPort) {
      const near = nearest(call.name, call.known);
      return [
        {
          ...{ where: at, what: `${call.service} has no such port`, received: call.name },
          allowed: call.known.join(', '),
          ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
        },
      ];
    }
    if (!(call instanceof ExternalService) && !isExternalPort(call)) {
      const what = 'is not an external service';
      return [
        { where: at, what, received: call, allowed: 'an ExternalService of this mesh, or a port of one' },
      ];
    }
    const service = isExternalPort(call) ? call.service : call;
    const received = isExternalPort(call) ? `${service.where}.port.${call.portName}` : service.where;
    const problem = { where: at, received };
    if ((service.mesh as object) !== mesh) {
      const what = 'is an external service of another mesh';
      return [{ ...problem, what, fix: 'declare it in this mesh' }];
    }
    if (namespace.shared) {
      const what = `would be in the way of others, too: calls to ${service.host} of every pod in the shared namespace ${namespace.name} would go through it`;
      const fix = 'declare the caller in a namespace that the mesh has alone';
      return [{ ...problem, what, fix }];
    }
    const rival = hosts.find((other) => other !== service && other.host === service.host);
    if (rival !== undefined && hosts.indexOf(rival) < hosts.indexOf(service)) {
      const what = `has the same host as ${rival.where}, which the workload also calls`;
      return [{ ...problem, what, fix: 'call only one of them' }];
    }
    return calledPorts([call]).flatMap((port) => listenerProblems(problem, port, all, inside));
  });
}

/** Whether an earlier port has a listener of its own, as its host has others that are not called, by the number of a later one of another kind that has one, too. */
function isBesideIn(all: readonly ExternalPort[], earlier: ExternalPort, later: ExternalPort): boolean {
  const isSingle = ({ service }: ExternalPort) => service.allPorts.some((port) => !all.includes(port));
  const [one, other] = [listenerOf(earlier), listenerOf(later)];
  // Without addresses TCP is in the way of every other kind, and so are HTTP and TLS of each other.
  const isTold =
    [one, other].every(({ kind }) => kind !== 'TCP') ||
    [one, other].some(({ kind, addresses }) => kind === 'TCP' && addresses === undefined);
  return (
    all.indexOf(earlier) < all.indexOf(later) &&
    one.number === other.number &&
    one.kind !== other.kind &&
    !isTold &&
    isSingle(earlier) &&
    isSingle(later)
  );
}

/** What a port is in the way of: a proxy has one listener for a port, or for a port of an address. */
function listenerProblems(
  problem: { readonly where: string; readonly received: string },
  port: ExternalPort,
  all: readonly ExternalPort[],
  inside: readonly EgressPort[],
): readonly Problem[] {
  const own = listenerOf(port);
  const { number, kind } = own;
  const rivals = all.filter(({ service }) => service !== port.service);
  const other = rivals.find((one) => isBesideIn(all, one, port));
  if (other !== undefined) {
    const what =
      `is one of several ports of its host, on ${number} over ${kind}, where the workload also calls one of those of ${other.service.where} over ` +
      `${listenerKind(other.props)}: a Sidecar names single ports of hosts once for each number`;
    return [
      { ...problem, what, fix: 'call one of the two hosts as a whole, or move one port to another number' },
    ];
  }
  const beside = rivals.map((other) => ({ ...listenerOf(other), whose: other.service.where }));
  const meets = (other: EgressPort) => other.number === number && other.clustered !== true;
  if (kind === 'TLS') {
    const plain = [...inside, ...beside].some((other) => meets(other) && other.kind === 'HTTP');
    if (!plain) return [];
    const what = `speaks TLS on port ${number}, where the workload also calls plaintext HTTP or gRPC services: one listener of its proxy cannot do both`;
    return [{ ...problem, what, fix: 'move one of them to another port' }];
  }
  if (kind !== 'TCP') return [];
  const { addresses } = own;
  if (addresses === undefined) {
    // One of two without addresses is told of, the later one.
    const earlier = new Set(all.slice(0, all.indexOf(port)));
    const isEarlier = (other: ExternalPort) => earlier.has(other);
    const taken = [
      ...inside.filter(meets).map(() => 'services of the mesh'),
      ...rivals
        .filter((other) => {
          const listener = listenerOf(other);
          if (!meets(listener)) return false;
          return listener.kind === 'TCP' ? listener.addresses === undefined && isEarlier(other) : true;
        })
        .map(({ service }) => service.where),
    ];
    if (taken.length === 0) return [];
    const what = `is TCP on port ${number} without addresses, so that the proxy takes all calls to this port for ${port.service.host}, also those to ${taken[0] ?? ''}`;
    return [{ ...problem, what, fix: 'give it addresses, or move one of them to another port' }];
  }
  const twin = beside
    .slice(0, rivals.filter((other) => all.indexOf(other) < all.indexOf(port)).length)
    .find(
      (other) =>
        meets(other) &&
        other.kind !== 'HTTP' &&
        other.addresses?.some((one) => addresses.includes(one)) === true,
    );
  if (twin === undefined) return [];
  const what = `is on port ${number} of an address that ${twin.whose} is at, too: nothing in a call over TCP tells the two apart`;
  return [{ ...problem, what, fix: 'call only one of them, or move one to another port' }];
}
