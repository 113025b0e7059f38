import type { IstioSpec } from '../../model/istio-models.ts';
import type { ListenerKind } from './external-port.ts';

/** A host that a workload calls, and the ports it may call there. */
export interface Egress {
  /** As a Sidecar names it: `namespace/host`. */
  readonly host: string;
  readonly ports: readonly EgressPort[];
  /** Whether the host has more ports, which the workload may not call. @default false */
  readonly partial?: boolean;
}

/** A port of a host, as the listener of the caller's proxy for it is. */
export interface EgressPort {
  readonly number: number;
  readonly kind: ListenerKind;
  /** Addresses by which calls over TCP are known. @default - none: by the port alone */
  readonly addresses?: readonly string[];
  /** Whether a Kubernetes Service has it, whose own address tells calls over TCP apart. */
  readonly clustered?: boolean;
}

/**
 * A Sidecar body that lets a workload's proxy know, and so reach, only these hosts, and of some of them only these ports
 * (https://istio.io/latest/docs/reference/config/networking/sidecar/). Proxies stay small however large the mesh gets.
 *
 * A listener of its own stands for each port of a host that the workload may not call as a whole. Istio then gives the listener of all other
 * ports nothing of this one, so that whatever else it calls there by the same kind stands in it as well.
 * @param called - none means that the workload calls nobody
 */
export function egressTo(
  labels: Readonly<Record<string, string>>,
  called: readonly Egress[],
): IstioSpec<'Sidecar'> {
  const own = new Map<number, ListenerKind>();
  for (const { ports } of called.filter(({ partial }) => partial === true)) {
    for (const { number, kind } of ports) own.set(number, kind);
  }
  const listeners = [...own]
    .sort(([a], [b]) => a - b)
    .map(([number, kind]) => ({
      port: { number, protocol: kind, name: `${kind.toLowerCase()}-${number}` },
      hosts: ordered(called.filter(({ ports }) => ports.some((port) => isOf(port, number, kind)))),
    }));
  const whole = ordered(called.filter(({ partial }) => partial !== true));
  return {
    workloadSelector: { labels },
    outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
    egress: [
      ...listeners,
      ...(whole.length === 0 && listeners.length > 0
        ? []
        : [{ hosts: whole.length === 0 ? ['~/*'] : whole }]),
    ],
  };
}

function isOf(port: EgressPort, number: number, kind: ListenerKind): boolean {
  return port.number === number && port.kind === kind && port.clustered !== true;
}

function ordered(called: readonly Egress[]): string[] {
  return [...new Set(called.map(({ host }) => host))].sort();
}
