import type { AnyConfig } from '../../../apps/config/app-config.ts';
import { ProblemsError, type Problem } from '../../../core/problem.ts';
import { principalOf } from '../access/authorization.ts';
import { CallRecord } from '../access/call-record.ts';
import { tellCallee, tellHttpCallee } from '../access/caller-record.ts';
import type { Egress } from '../access/egress.ts';
import type { ExternalCall } from '../access/external-calls.ts';
import type { Callable } from '../scope/callable.ts';
import { given, MeshConstruct, Namespace, refuseScope } from '../scope/mesh-construct.ts';
import type { LoadedApp, Mesh } from '../scope/mesh-construct.ts';
import type { Method } from '../scope/method.ts';
import type { WorkloadTracing } from '../scope/tracing.ts';
import { workloadTracingProblems } from '../telemetry/tracing.ts';
import { othersCalled } from './others-called.ts';
import { WorkloadPods } from './pods/pods.ts';
import type { WorkloadProps } from './workload-props.ts';
import { configProblems, loadFolder, nameProblems, placementProblems } from './workload-rules.ts';

/** Pods with an identity of their own, by which they may call others, whether anybody calls them or not. */
export abstract class CallingPods<C extends string = string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly namespace: Namespace<C>;
  /** Name of its ServiceAccount in every cluster, by which it is known. */
  readonly name: string;
  /** Folder with its config.yml; none where what it says stands in code. */
  readonly app: string | undefined;
  /** Clusters its pods run in, in the mesh's order. */
  readonly clusters: readonly C[];
  /** Its share of traces; the mesh's where there is none. */
  readonly tracing: WorkloadTracing | undefined;
  /** What it calls. */
  protected readonly called = new CallRecord();
  /** What is said of its pods. */
  protected readonly ownPods: WorkloadPods;
  /** As it was given. */
  readonly #placement: unknown;

  constructor(scope: Namespace<C>, name: string, props: WorkloadProps<C>) {
    super(scope, name);
    refuseScope(scope instanceof Namespace, this.where, scope, 'a namespace of the mesh');
    const { app, placement, tracing } = given(props);
    this.mesh = scope.mesh;
    this.namespace = scope;
    this.name = name;
    this.app = app;
    this.tracing = tracing;
    const all = this.mesh.clusters.map((cluster) => cluster.name);
    this.#placement = placement ?? all;
    this.clusters = Array.isArray(placement) ? all.filter((cluster) => placement.includes(cluster)) : all;
    this.ownPods = new WorkloadPods(this, given(props));
  }

  /**
   * Grants this workload's identity exactly these methods, ports of services over TCP and routes of those over plain HTTP, in every cluster, and nothing else: its
   * proxy learns of the callees' hosts, and each callee lets it through to them. Without a grant every call is denied.
   */
  calls(...called: readonly Callable<C>[]): void {
    this.called.given.push(...called);
    for (const call of called) tellCallee(this, call);
  }

  /**
   * The same over HTTP, for callers that speak no gRPC: grants the google.api.http paths of these methods, each with its
   * HTTP method, on the callee's port `http`. Its config.yml has to ask for the HTTP gateway.
   */
  callsHttp(...methods: readonly Method<'unary', C>[]): void {
    this.called.http.push(...methods);
    for (const method of methods) tellHttpCallee(this, method);
  }

  /** Lets its proxy reach these hosts outside the mesh, with all their ports or some of them, in every cluster. */
  callsExternal(...called: readonly ExternalCall<C>[]): void {
    this.called.callExternal(this, called);
  }

  /** All that its proxy leads it to: what it calls, and the API server and the collector of traces. */
  protected get egress(): readonly Egress[] {
    return [...this.called.egress, ...this.#others];
  }

  /** What its proxy leads it to beside what it calls. */
  get #others(): readonly Egress[] {
    return othersCalled(this.soundConfig && this.ownPods.egress(this.soundConfig), this.mesh);
  }

  /** The methods it may call. */
  get calledMethods(): readonly Method[] {
    return this.called.grpc;
  }

  /** What selects its pods. */
  get podLabels(): Readonly<Record<string, string>> {
    return this.namespace.podsOf(this.name);
  }

  /** Its identity in every cluster, as Istio writes principals. */
  get principal(): string {
    return principalOf(this.mesh.trustDomain, this.namespace.name, this.name);
  }

  /** What its config.yml says, or its properties in its place: sound, or what is wrong with it. */
  get loaded(): LoadedApp {
    return loadFolder(this.mesh, this.where, this.app);
  }

  /** The same. @throws ProblemsError when it is wrong */
  get config(): AnyConfig {
    if ('config' in this.loaded) return this.loaded.config;
    throw new ProblemsError(this.loaded.problems);
  }

  /** The same, if it is right. */
  protected get soundConfig(): AnyConfig | undefined {
    return 'config' in this.loaded ? this.loaded.config : undefined;
  }

  /** Where that stands, for messages. */
  get configName(): string {
    return this.app === undefined ? 'its declaration' : `${this.app}/config.yml`;
  }

  /** Whether all that its pods are made from is right. */
  get isSound(): boolean {
    return 'config' in this.loaded && this.apps.every((app) => 'config' in this.mesh.app(app));
  }

  /** Folders of every app that has a container in its pods. */
  get apps(): readonly string[] {
    return this.app === undefined ? [] : [this.app];
  }

  /** What it is called in messages. */
  protected readonly noun: 'service' | 'job' = 'service';

  /** References of images of its pods that are built elsewhere. */
  abstract get foreignImages(): readonly string[];

  override problems(): readonly Problem[] {
    const mesh = this.mesh.clusters.map((cluster) => cluster.name);
    return [
      ...nameProblems(this, this.noun),
      ...this.called.problems(this, this.#others),
      ...placementProblems(this.where, this.#placement, mesh),
      ...(this.tracing === undefined
        ? []
        : workloadTracingProblems(this.where, this.tracing, this.mesh.tracing)),
      ...configProblems(this),
    ];
  }

  /** What is said of it in a cluster. */
  protected configIn(cluster: string): AnyConfig {
    return this.ownPods.configIn(this.config, cluster);
  }
}
