import { createHash } from 'node:crypto';
import { parseJobContainer } from '../../../apps/config/app-config.ts';
import { jobContainerKeys } from '../../../apps/config/pod/job-container.ts';
import type { Problem } from '../../../core/problem.ts';
import type { KubernetesObject, RunModel } from '../../model/mesh-model.ts';
import { preparePods } from '../existing-model.ts';
import { egressTo } from '../access/egress.ts';
import { saidIn } from '../scope/keys-in.ts';
import { given, type LoadedApp, type Namespace } from '../scope/mesh-construct.ts';
import { Projection, type Metadata } from '../scope/projection.ts';
import { addTelemetry } from '../telemetry/workload-telemetry.ts';
import { callModels, connectionModels, requestModels } from '../workload/call-models.ts';
import { CallingPods } from '../workload/calling-pods.ts';
import { foreignImagesOf } from '../workload/model-facts.ts';
import { loadedBy } from '../workload/source.ts';
import { isFaulty } from '../workload/workload.ts';
import type { RunProps } from './job-props.ts';

/** Most characters of a name. Kubernetes adds 11 to that of a CronJob for its runs, and the mesh 9 to that of a Job. */
const longestName = 52;

/** Pods that end by themselves, of a Job or a CronJob. Nobody calls them: they have no Service. */
export abstract class Run<C extends string = string> extends CallingPods<C> {
  /** Kind of the object that makes its pods. */
  abstract readonly kind: 'Job' | 'CronJob';
  protected override readonly noun = 'job';
  /** Its properties as they were given. */
  protected readonly props: RunProps<C>;
  readonly #loaded: LoadedApp;

  constructor(scope: Namespace<C>, name: string, props: RunProps<C>) {
    const { placement, tracing, pod, clusters } = given(props);
    super(scope, name, { placement, tracing, pod, clusters });
    this.props = props;
    this.#loaded = loadedBy(() => parseJobContainer(this.where, name, saidIn(props, jobContainerKeys)));
  }

  override get loaded(): LoadedApp {
    return this.#loaded;
  }

  override get foreignImages(): readonly string[] {
    const own = foreignImagesOf(this.config, [{ image: this.#image }], this.mesh.platform.imageHub);
    return [...own, ...this.ownPods.images(this.config)];
  }

  /** Name of the object that makes its pods. */
  abstract get objectName(): string;

  /** It as plain data. */
  get model(): RunModel {
    const { name, kind, clusters } = this;
    return {
      ...{ name, namespace: this.namespace.name, kind, object: this.objectName, placement: clusters },
      calls: callModels(this.calledMethods, isFaulty),
      ...connectionModels(this.called),
      ...requestModels(this.called.routes),
    };
  }

  override problems(): readonly Problem[] {
    const { where, name } = this;
    const { containers = [] } = this.ownPods.said;
    const found = [...super.problems(), ...this.ownPods.problems({}, false)];
    if (typeof (name as unknown) === 'string' && name.length > longestName) {
      const what = 'the name of the job is too long for those of its pods';
      found.push({ where, what, received: name, allowed: `at most ${longestName} characters` });
    }
    if (containers.length > 0) {
      found.push({
        where: `${where}: pod.containers`,
        what: 'keep its pods from ending, as they run beside its own container',
        received: containers.map((one) => one.name),
        fix: 'move them to initContainers, with sidecar: true: such a container is ended with the pod',
      });
    }
    for (const cluster of this.ownPods.clustersWithReplicas) {
      const what = 'is for services: it has as many pods as completions says';
      found.push({ where: `${where}: clusters.${cluster}.replicas`, what, fix: 'remove it' });
    }
    return found;
  }

  /** Adds the object that makes its pods. */
  protected abstract addObject(into: Projection, metadata: Metadata): void;

  override project(into: Projection): void {
    const { name, config, where } = this;
    const metadata = { name, namespace: this.namespace.name };
    const { platform } = this.mesh;
    this.ownPods.addAccount(into, config);
    into.addIstio('40-services', where, 'Sidecar', metadata, egressTo(this.podLabels, this.egress));
    const called = this.calledMethods.map(({ descriptor }) => descriptor);
    const told = { where, platform, tracing: this.tracing, served: [], called };
    addTelemetry(into, metadata, this.podLabels, told);
    this.ownPods.addFiles(into, config, this.clusters);
    if (this.clusters.some((placed) => placed === into.cluster.name)) this.#add(into, this.objectName);
  }

  /**
   * A hash of what it is in all its clusters, which is another one whenever that changes.
   * @param kept - what of the object is taken into it
   */
  protected hashOf(kept: (object: KubernetesObject) => unknown): string {
    const { clusters, mesh, name } = this;
    const objects = mesh.clusters
      .filter((cluster) => clusters.some((placed) => placed === cluster.name))
      .map((cluster) => {
        const alone = new Projection(mesh.name, cluster, preparePods(mesh));
        this.#add(alone, name);
        return alone.objects('70-jobs').map(({ object }) => kept(object));
      });
    return createHash('sha256').update(JSON.stringify(objects)).digest('hex').slice(0, 8);
  }

  #add(into: Projection, objectName: string): void {
    const differs = { because: 'it runs only where it is placed', clusters: this.clusters, paths: [] };
    this.addObject(into, { name: objectName, namespace: this.namespace.name, app: this.name, differs });
  }

  /** What its container is in a cluster, and from which image. */
  protected inCluster(cluster: string) {
    return {
      ...{
        app: this.name,
        config: this.configIn(cluster),
        image: this.ownPods.imageIn(this.#image, cluster),
      },
      proxyAnnotations: this.called.proxyAnnotations,
      rework: this.ownPods.reworkIn(this.config, cluster, this.kind),
    };
  }

  get #image(): string {
    return this.mesh.image(this.config);
  }
}
