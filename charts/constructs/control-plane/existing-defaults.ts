import { productVersion } from '../../../core/product.ts';
import { refusedCalls } from '../access/refused-calls.ts';
import { MeshConstruct, Namespace } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import { labelsOf, versionAnnotation } from '../../model/labels.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import { meshTelemetry } from '../telemetry/tracing.ts';
import { connectionAge } from '../traffic/connection-age.ts';
import { MutualTls, type MutualTlsMode } from '../workload/mutual-tls.ts';
import { CallingPods } from '../workload/calling-pods.ts';
import { Workload } from '../workload/workload.ts';
import { grpcPortsOf } from './mesh-defaults.ts';

const stage = '30-mesh';
const strict = { mode: 'STRICT' } as const;

interface MutualTlsSpec {
  readonly mtls: { readonly mode: MutualTlsMode };
}

/** Where defaults are added: a namespace, and whether others have workloads there. */
type Where = Pick<Namespace<string>, 'name' | 'shared'>;

/**
 * On an Istio of others, what holds for every workload of the mesh, as MeshDefaults says it of a mesh of its own: not in the root
 * namespace, where it would hold for theirs, but in each namespace with workloads of the mesh. In a shared namespace it is for pods with
 * the mesh's labels. In a namespace of the mesh, default deny and mutual TLS are for every pod: also for one without labels, which
 * somebody runs there by hand, or which a controller that the mesh does not know makes. Of a kind that Istio heeds only one of for each
 * pod (PeerAuthentication, Telemetry), a workload that says something of its own has its own.
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
      const workloads = namespace.node.findAll().filter((part) => part instanceof CallingPods);
      this.#denyAll(into, namespace);
      this.#addFilters(into, namespace.name, workloads);
      this.#addMutualTls(into, namespace, workloads);
      this.#addTelemetry(into, namespace.name, workloads);
    }
    const { ingress } = this.mesh;
    if (!ingress.isThere || ingress.isJoined) return;
    const own = { name: ingress.namespace, shared: false };
    this.#denyAll(into, own);
    this.#addForAll(into, own, this.where, { mtls: strict });
    this.#addTelemetry(into, ingress.namespace, []);
  }

  /**
   * A policy without a rule allows nothing, and with it only what others allow goes through. Every namespace has one, also where the
   * mesh may not write the namespace itself: it tells the version that rendered the mesh.
   */
  #denyAll(into: Projection, namespace: Where): void {
    const annotations = { [versionAnnotation]: productVersion() };
    const metadata = { ...this.#metadata('allow-nothing', namespace.name), annotations };
    into.addIstio(stage, this.where, 'AuthorizationPolicy', metadata, this.#pods(namespace));
  }

  #addForAll(into: Projection, namespace: Where, where: string, spec: MutualTlsSpec, accepted = {}): void {
    const metadata = { ...this.#metadata('mutual-tls', namespace.name), ...accepted };
    into.addIstio(stage, where, 'PeerAuthentication', metadata, { ...this.#pods(namespace), ...spec });
  }

  /** Every pod of a namespace of the mesh; of one that is shared, those of the mesh. */
  #pods({ shared }: Where): {
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
  } {
    return shared ? { selector: { matchLabels: this.#labels } } : {};
  }

  #addFilters(into: Projection, namespace: string, workloads: readonly CallingPods[]): void {
    const workloadSelector = { labels: this.#labels };
    const add = (name: string, filter: ReturnType<typeof connectionAge>) => {
      const metadata = this.#metadata(name, namespace);
      into.addIstio(stage, this.where, 'EnvoyFilter', metadata, { workloadSelector, ...filter });
    };
    add('connection-age', connectionAge());
    const ports = grpcPortsOf(workloads.filter((one) => one instanceof Workload));
    if (ports.length > 0) add('refused-calls', refusedCalls(ports));
  }

  /**
   * As a MutualTls of the namespace says, else STRICT. One of a workload (mutual-tls.ts) comes before that of a whole namespace; where
   * both would select pods, it is that workload's only one.
   */
  #addMutualTls(
    into: Projection,
    namespace: Pick<Namespace<string>, 'name' | 'node' | 'shared'>,
    workloads: readonly CallingPods[],
  ): void {
    const declared = namespace.node.children.find((part) => part instanceof MutualTls);
    const where = declared?.where ?? this.where;
    const mtls = declared === undefined ? strict : { mode: declared.mode };
    const accepted = declared?.acceptance ?? {};
    const others = workloads.filter((workload) => !saysItself(workload));
    if (!namespace.shared || others.length === workloads.length) {
      this.#addForAll(into, namespace, where, { mtls }, accepted);
      return;
    }
    for (const { name, podLabels } of others) {
      const metadata = { name: `${name}-mutual-tls`, namespace: namespace.name, app: name, ...accepted };
      const one = { selector: { matchLabels: podLabels }, mtls };
      into.addIstio(stage, where, 'PeerAuthentication', metadata, one);
    }
  }

  #addTelemetry(into: Projection, namespace: string, workloads: readonly CallingPods[]): void {
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

function saysItself({ node }: CallingPods): boolean {
  return node.children.some((part) => part instanceof MutualTls);
}
