import { k8s } from 'cdk8s-plus-28';
import { isForeign, type AnyConfig, type ContainerConfig } from '../../../../apps/config/app-config.ts';
import type { InCluster, PodConfig } from '../../../../apps/config/pod/pod.ts';
import { podProblems } from '../../../../apps/config/pod/rules.ts';
import { metricsPorts } from '../../../../apps/config/ports.ts';
import { imageAt } from '../../../../core/image-reference.ts';
import type { Problem } from '../../../../core/problem.ts';
import type { LoadedApp, Mesh, Namespace } from '../../scope/mesh-construct.ts';
import { pullSecrets } from '../../scope/platform.ts';
import type { KubernetesObject } from '../../../model/mesh-model.ts';
import type { Projection, Reworked } from '../../scope/projection.ts';
import type { DeploymentPlan } from '../deployment.ts';
import { tcpPorts } from '../service-ports.ts';
import { clusterProblems } from './cluster-problems.ts';
import { extraImagesOf } from './extra-containers.ts';
import { addApiServer, addRole, apiEgress, apiProblems } from './kubernetes-api.ts';
import { addFiles } from './volumes.ts';
import { reworked } from './rework.ts';
import { configIn, differing, patchesIn, saidOfPods, type SaidOfPods } from './said.ts';

/** Properties of a workload that are about its pods. */
export interface PodsProps<C extends string> {
  /** What is said of its pods, beside what config.yml says of them. @default - that alone */
  readonly pod?: PodConfig | undefined;
  /** What differs in single clusters; what is left out is as everywhere. @default - nothing */
  readonly clusters?: Readonly<Partial<Record<C, InCluster>>> | undefined;
}

/** Their keys. */
export const podsKeys = { pod: true, clusters: true } as const satisfies Record<
  keyof PodsProps<string>,
  true
>;

/** A workload, as far as its pods have to know it. */
interface Of {
  readonly where: string;
  readonly name: string;
  readonly mesh: Mesh;
  readonly namespace: Pick<Namespace<string>, 'name' | 'node'>;
  readonly clusters: readonly string[];
  readonly loaded: LoadedApp;
  readonly configName: string;
}

/** What is said of the pods of a workload, everywhere and in single clusters. */
export class WorkloadPods {
  readonly #of: Of;
  readonly #said: SaidOfPods;

  constructor(of: Of, props: { readonly pod?: unknown; readonly clusters?: unknown }) {
    this.#of = of;
    this.#said = saidOfPods(of.where, props, of.clusters);
  }

  /**
   * What is wrong with it.
   * @param ports - of its containers, gateway included. @default - they cannot be told
   * @param hasVersions - whether each of its versions says its own image and number of pods
   */
  problems(ports: ContainerConfig['ports'] | undefined, hasVersions: boolean): readonly Problem[] {
    const { where, loaded, configName, mesh } = this.#of;
    const config = 'config' in loaded ? loaded.config : undefined;
    const twice = Object.keys(config?.pod ?? {}).filter((key) => Object.hasOwn(this.#said.pod, key));
    const found: Problem[] = [
      ...this.#said.problems,
      ...twice.map((key) => ({
        where: `${where}: pod.${key}`,
        what: `is in ${configName}, too`,
        fix: 'keep one of the two',
      })),
    ];
    if (config === undefined || this.#said.problems.length > 0) return found;
    const pod = this.#pod(config);
    // Of most, nothing is said.
    if (Object.keys(pod).length === 0 && this.#said.clusters.size === 0) return found;
    return [
      ...found,
      ...podProblems(`${where}: pod`, pod, { name: config.name, ports: portsOf(config, ports) }),
      ...apiProblems(`${where}: pod`, mesh.platform, pod),
      ...[...this.#said.clusters].flatMap(([cluster, there]) =>
        clusterProblems(`${where}: clusters.${cluster}`, there, config, hasVersions),
      ),
    ];
  }

  /** What is said of the workload in a cluster. */
  configIn(config: AnyConfig, cluster: string): AnyConfig {
    return configIn(config, this.#said, cluster);
  }

  /** What a Deployment of it is in a cluster. */
  planIn<C extends string>(plan: DeploymentPlan<C>, config: AnyConfig, cluster: string): DeploymentPlan<C> {
    const { clusters } = this.#said;
    const rework = this.reworkIn(config, cluster, 'Deployment');
    if (rework === undefined) return plan;
    const replicasIn = (name: string) => clusters.get(name)?.replicas ?? plan.replicas;
    const image = this.imageIn(plan.image, cluster);
    return { ...plan, image, replicas: replicasIn(cluster), replicasIn, rework };
  }

  /** The image of its own container in a cluster. */
  imageIn(image: string, cluster: string): string {
    const there = this.#said.clusters.get(cluster)?.image;
    return there === undefined ? image : imageAt(this.#of.mesh.platform.imageHub, there);
  }

  /**
   * What is made, in a cluster, of the object that makes its pods; nothing where nothing is said of them.
   * @param kind - of the object
   */
  reworkIn(
    config: AnyConfig,
    cluster: string,
    kind: string,
  ): ((written: KubernetesObject) => Reworked) | undefined {
    const { pod = {} } = this.configIn(config, cluster);
    if (Object.keys(pod).length === 0 && this.#said.clusters.size === 0) return undefined;
    const { where, name: workload, mesh } = this.#of;
    const patches = patchesIn(where, this.#pod(config), this.#said, cluster);
    const of = { workload, container: config.name, imageHub: mesh.platform.imageHub };
    const differs = differing(where, this.#said, config.name, this.#pod(config), kind);
    return (written) => reworked(written, pod, of, patches, differs);
  }

  /** Clusters of which is said how many pods they have. */
  get clustersWithReplicas(): readonly string[] {
    return [...this.#said.clusters].flatMap(([name, { replicas }]) => (replicas === undefined ? [] : [name]));
  }

  /** What is said of its pods in every cluster, or what of that is sound. */
  get said(): PodConfig {
    return this.#said.pod;
  }

  /** Pods of it by cluster, where that differs. */
  replicasIn(replicas: number): Readonly<Record<string, number>> | undefined {
    const found = [...this.#said.clusters].flatMap(([name, one]) =>
      one.replicas === undefined || one.replicas === replicas ? [] : [[name, one.replicas] as const],
    );
    return found.length === 0 ? undefined : Object.fromEntries(found);
  }

  /** References of images of its pods, beside those of its own container that are the same everywhere. */
  images(config: AnyConfig): readonly string[] {
    const { imageHub } = this.#of.mesh.platform;
    const own = [...this.#said.clusters.values()].flatMap(({ image }) =>
      image === undefined ? [] : [imageAt(imageHub, image)],
    );
    const ours = (image: string) => !isForeign(config) && image.startsWith(`${imageHub}/`);
    return [...own.filter((image) => !ours(image)), ...extraImagesOf(this.#pod(config), imageHub)];
  }

  /** What its proxy has to know for the Kubernetes API, as entries of a Sidecar. */
  egress(config: AnyConfig): readonly string[] {
    return this.#pod(config).kubernetesApi === undefined ? [] : apiEgress(this.#of.namespace.name);
  }

  /** Adds its service account, and what that may do with the Kubernetes API. */
  addAccount(into: Projection, config: AnyConfig): void {
    const { name, namespace, where, mesh } = this.#of;
    const there = this.configIn(config, into.cluster.name).pod;
    const { annotations = {} } = there?.serviceAccount ?? {};
    const vary = [...this.#said.clusters.values()].some(({ serviceAccount }) => serviceAccount !== undefined);
    const differs = { because: 'the declaration says so', paths: [['metadata', 'annotations']] };
    const metadata = { name, namespace: namespace.name };
    const noted = Object.keys(annotations).length === 0 ? {} : { annotations };
    into.add(
      '40-services',
      k8s.KubeServiceAccount,
      { ...metadata, ...noted, ...(vary ? { differs } : {}) },
      {
        automountServiceAccountToken: false,
        ...pullSecrets(mesh.platform, isForeign(config) ? config.foreign.pullSecrets : []),
      },
    );
    if (this.#pod(config).kubernetesApi === undefined) return;
    addRole(into, metadata, this.#pod(config));
    addApiServer(into, where, namespace.name);
  }

  /** Adds the files of its volumes where there are pods. */
  addFiles(into: Projection, config: AnyConfig, placement: readonly string[]): void {
    if (!placement.includes(into.cluster.name)) return;
    const { name, namespace } = this.#of;
    addFiles(into, { name, namespace: namespace.name }, this.#pod(config), placement);
  }

  /** What is said of its pods in every cluster. */
  #pod(config: AnyConfig): PodConfig {
    return { ...config.pod, ...this.#said.pod };
  }
}

/** Ports that the containers of a pod listen on, beside those that are said of containers beside the service's own. */
function portsOf(
  config: AnyConfig,
  ports: ContainerConfig['ports'] | undefined,
): readonly (readonly [number, string])[] {
  const { grpc, http } = ports ?? config.ports;
  const gateway = 'the HTTP gateway';
  const metrics = isForeign(config) ? config.foreign.metrics?.port : metricsPorts.app;
  return [
    ...(grpc === undefined ? [] : [[grpc, config.name] as const]),
    ...Object.values(tcpPorts(config)).map(({ port }) => [port, config.name] as const),
    ...(http === undefined ? [] : [[http, config.httpGateway ? gateway : config.name] as const]),
    ...(metrics === undefined ? [] : [[metrics, config.name] as const]),
    ...(config.httpGateway ? [[metricsPorts.httpGateway, gateway] as const] : []),
  ];
}
