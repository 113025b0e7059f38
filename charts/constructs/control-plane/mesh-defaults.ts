import { connectionAge } from '../traffic/connection-age.ts';
import { MeshConstruct } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import { controlPlaneNamespace } from '../scope/names.ts';
import type { Projection } from '../scope/projection.ts';
import { refusedCalls } from '../access/refused-calls.ts';
import { collectorEntry, meshTelemetry } from '../telemetry/tracing.ts';
import { Workload } from '../workload/workload.ts';

/**
 * What holds for every workload of the mesh, because it stands in Istio's root namespace: mutual TLS only
 * (https://istio.io/latest/docs/reference/config/security/peer_authentication/), no call that no policy allows
 * (https://istio.io/latest/docs/concepts/security/#allow-nothing-deny-all-and-allow-all-policy), access logs on each proxy's
 * standard output in the format of the control plane's meshConfig, connections that are renewed (connection-age.ts), calls made
 * again that a server refused unseen (refused-calls.ts), and, where the mesh has a collector, traces.
 */
export class MeshDefaults<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;

  constructor(scope: Mesh<C>, id: string) {
    super(scope, id);
    this.mesh = scope;
  }

  override project(into: Projection): void {
    const namespace = controlPlaneNamespace;
    into.addIstio(
      '30-mesh',
      this.where,
      'PeerAuthentication',
      { name: 'mutual-tls', namespace },
      { mtls: { mode: 'STRICT' } },
    );
    // A policy without a rule allows nothing, and with it in the root namespace only what others allow goes through.
    into.addIstio('30-mesh', this.where, 'AuthorizationPolicy', { name: 'allow-nothing', namespace }, {});
    into.addIstio(
      '30-mesh',
      this.where,
      'EnvoyFilter',
      { name: 'connection-age', namespace },
      connectionAge(),
    );
    const parts = this.mesh.node.findAll();
    const ports = grpcPortsOf(parts.filter((part) => part instanceof Workload));
    if (ports.length > 0) {
      const metadata = { name: 'refused-calls', namespace };
      into.addIstio('30-mesh', this.where, 'EnvoyFilter', metadata, refusedCalls(ports));
    }
    const { tracing } = this.mesh;
    // One resource: Istio heeds one without a selector in a namespace.
    into.addIstio(
      '30-mesh',
      this.where,
      'Telemetry',
      { name: 'telemetry', namespace },
      meshTelemetry(tracing),
    );
    if (tracing === undefined) return;
    const { collector } = tracing;
    into.addIstio(
      '30-mesh',
      this.where,
      'ServiceEntry',
      { name: 'otel-collector', namespace },
      collectorEntry(collector),
    );
  }
}

/** Ports of the gRPC servers of workloads, each once. */
export function grpcPortsOf(workloads: readonly Workload[]): readonly number[] {
  return [...new Set(workloads.flatMap(({ containerPorts }) => containerPorts.grpc ?? []))].sort(
    (a, b) => a - b,
  );
}
