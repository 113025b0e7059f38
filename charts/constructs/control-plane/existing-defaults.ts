import { refusedCalls } from '../access/refused-calls.ts';
import { MeshConstruct, Namespace } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import { labelsOf } from '../../model/labels.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import { meshTelemetry } from '../telemetry/tracing.ts';
import { connectionAge } from '../traffic/connection-age.ts';
import { MutualTls } from '../workload/mutual-tls.ts';
import { Workload } from '../workload/workload.ts';
import { grpcPortsOf } from './mesh-defaults.ts';

const stage = '30-mesh';

/**
 * On an Istio of others, what holds for every workload of the mesh, as MeshDefaults says it of a mesh of its own: not in the root
 * namespace, where it would hold for theirs, but in each namespace with workloads of the mesh, for pods with its labels. Of a kind that
 * Istio heeds only one of for each pod (PeerAuthentication, Telemetry), a workload that says something of its own has its own.
 *
 * Names have a dot and the mesh's name behind: unlike the names of workloads, and of what others have in a shared namespace.
 */
export class ExistingDefaults<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;

  constructor(scope: Mesh<C>, id: string) {
    super(scope, id);
    this.mesh = scope;
  }

  override project(into: Projection): void {
    const namespaces = this.mesh.node.findAll().filter((part) => part instanceof Namespace);
    for (const namespace of namespaces) {
      const workloads = namespace.node.findAll().filter((part) => part instanceof Workload);
      this.#denyAll(into, namespace.name);
      this.#addFilters(into, namespace.name, workloads);
      this.#addMutualTls(into, namespace, workloads);
      this.#addTelemetry(into, namespace.name, workloads);
    }
    const { ingress } = this.mesh;
    if (!ingress.isThere || ingress.isJoined) return;
    this.#denyAll(into, ingress.namespace);
    this.#addTelemetry(into, ingress.namespace, []);
  }

  /** A policy without a rule allows nothing, and with it only what others allow goes through. */
  #denyAll(into: Projection, namespace: string): void {
    const policy = { selector: { matchLabels: this.#labels } };
    const metadata = this.#metadata('allow-nothing', namespace);
    into.addIstio(stage, this.where, 'AuthorizationPolicy', metadata, policy);
  }

  #addFilters(into: Projection, namespace: string, workloads: readonly Workload[]): void {
    const workloadSelector = { labels: this.#labels };
    const add = (name: string, filter: ReturnType<typeof connectionAge>) => {
      const metadata = this.#metadata(name, namespace);
      into.addIstio(stage, this.where, 'EnvoyFilter', metadata, { workloadSelector, ...filter });
    };
    add('connection-age', connectionAge());
    const ports = grpcPortsOf(workloads);
    if (ports.length > 0) add('refused-calls', refusedCalls(ports));
  }

  /** As a MutualTls of the namespace says, else STRICT; one of a workload is that workload's only one (mutual-tls.ts). */
  #addMutualTls(
    into: Projection,
    { name: namespace, node }: Pick<Namespace<string>, 'name' | 'node'>,
    workloads: readonly Workload[],
  ): void {
    const declared = node.children.find((part) => part instanceof MutualTls);
    const where = declared?.where ?? this.where;
    const mtls = { mode: declared?.mode ?? ('STRICT' as const) };
    const accepted = declared?.acceptance ?? {};
    const others = workloads.filter((workload) => !saysItself(workload));
    if (others.length === workloads.length) {
      const metadata = { ...this.#metadata('mutual-tls', namespace), ...accepted };
      const all = { selector: { matchLabels: this.#labels }, mtls };
      into.addIstio(stage, where, 'PeerAuthentication', metadata, all);
      return;
    }
    for (const { name, podLabels } of others) {
      const metadata = { name: `${name}-mutual-tls`, namespace, app: name, ...accepted };
      const one = { selector: { matchLabels: podLabels }, mtls };
      into.addIstio(stage, where, 'PeerAuthentication', metadata, one);
    }
  }

  #addTelemetry(into: Projection, namespace: string, workloads: readonly Workload[]): void {
    const { tracing } = this.mesh;
    if (workloads.every((workload) => workload.tracing === undefined)) {
      const all = { selector: { matchLabels: this.#labels }, ...meshTelemetry(tracing) };
      into.addIstio(stage, this.where, 'Telemetry', this.#metadata('telemetry', namespace), all);
      return;
    }
    for (const { name, podLabels, tracing: own } of workloads) {
      const one = {
        selector: { matchLabels: podLabels },
        ...meshTelemetry(tracing && { ...tracing, ...own }),
      };
      into.addIstio(stage, this.where, 'Telemetry', { name, namespace }, one);
    }
  }

  get #labels(): Readonly<Record<string, string>> {
    return labelsOf(this.mesh.name);
  }

  #metadata(name: string, namespace: string): Metadata {
    return { name: `${name}.${this.mesh.name}`, namespace, app: name };
  }
}

function saysItself({ node }: Workload): boolean {
  return node.children.some((part) => part instanceof MutualTls);
}
