import { RootConstruct } from 'constructs';
import { isForeign, loadConfig } from '../../apps/config/app-config.ts';
import type { AnyConfig, AppConfig } from '../../apps/config/app-config.ts';
import { gatewayApp } from '../../apps/config/folders.ts';
import type { ProtoComments } from '../../apps/config/descriptors/descriptor-set.ts';
import { lockedImage, readLock } from '../../images/lock.ts';
import type { ImagesLock } from '../../images/lock.ts';
import { imageAt } from '../../core/image-reference.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { MeshModel, WorkloadModel } from '../model/mesh-model.ts';
import { ControlPlane } from './control-plane/control-plane.ts';
import { ExistingDefaults } from './control-plane/existing-defaults.ts';
import { existingModel } from './existing-model.ts';
import { existingProblems } from './existing-problems.ts';
import { existingModels } from './existing-others.ts';
import { EastWestGateway } from './gateways/east-west-gateway.ts';
import { IngressGateway } from './gateways/ingress-gateway.ts';
import { JoinedIngress } from './gateways/joined-ingress.ts';
import { zonesOf, type Cluster, type ClusterProps } from './scope/cluster.ts';
import type { Gateways } from './scope/gateway-address.ts';
import { given, Namespace } from './scope/mesh-construct.ts';
import type {
  Ingress,
  LoadedApp,
  Mesh as MeshType,
  MeshGateway,
  NamespaceProps,
} from './scope/mesh-construct.ts';
import { meshProblems, rootProblems } from './mesh-problems.ts';
import type { MeshProps } from './mesh-props.ts';

export type { MeshProps } from './mesh-props.ts';
import { MeshDefaults } from './control-plane/mesh-defaults.ts';
import { controlPlaneNamespace, eastWestGateway, ingressGateway, ownIngress } from './scope/names.ts';
import { crossNetworks } from './scope/networks.ts';
import { isExisting, type AnyPlatform } from './scope/platform.ts';
import { RemoteReader } from './control-plane/remote-reader.ts';
import { revisionProblems } from './control-plane/revision-rules.ts';
import { controlPlanesOf } from './scope/revisions.ts';
import type { Tracing } from './scope/tracing.ts';
import type { TrafficDefaults } from './scope/traffic-defaults.ts';
import { tracingProblems } from './telemetry/tracing.ts';
import { defaultProblems } from './traffic/default-problems.ts';
import { Run } from './jobs/run.ts';
import { CallingPods } from './workload/calling-pods.ts';
import { plaintextPorts } from './workload/mutual-tls.ts';
import { Workload } from './workload/workload.ts';

/** A mesh over clusters with these names. */
export type Mesh<C extends string> = MeshType<C>;

type MeshConstructor = new <C extends string>(id: string, props: MeshProps<C>) => Mesh<C>;

/** Makes a {@link Mesh}. Type and constructor have one name, as those of a class have: what is imported is `Mesh`. */
export const Mesh: MeshConstructor = class Mesh<C extends string>
  extends RootConstruct
  implements MeshType<C>
{
  readonly name: string;
  readonly root: string;
  readonly trustDomain: string;
  /** In the order they were declared. */
  readonly clusters: readonly Cluster<C>[];
  readonly platform: AnyPlatform;
  readonly gateways: Gateways | undefined;
  readonly tracing: Tracing | undefined;
  readonly traffic: TrafficDefaults | undefined;
  readonly comments: ProtoComments;
  readonly ingress: Ingress<C>;
  readonly eastWest: MeshGateway<C> | undefined;
  readonly claimMetadata = new Set<string>();
  /** Its properties as they were given. */
  readonly #props: unknown;
  readonly #apps = new Map<string, LoadedApp>();
  #lock: ImagesLock | undefined;

  constructor(id: string, props: MeshProps<C>) {
    // Plain JavaScript may leave out anything; its problems say so.
    super(typeof (id as unknown) === 'string' ? id : '');
    const { root, trustDomain, clusters, platform, gateways, tracing, traffic, comments = {} } = given(props);
    const declared =
      (clusters as Readonly<Record<C, ClusterProps>> | undefined) ??
      ({} as Readonly<Record<C, ClusterProps>>);
    this.#props = props;
    this.name = id;
    this.root = root;
    this.trustDomain = trustDomain;
    this.clusters = (Object.keys(declared) as C[]).map((name): Cluster<C> => {
      const props: ClusterProps = declared[name];
      return { ...props, name };
    });
    this.platform = platform;
    this.gateways = gateways;
    this.tracing = tracing;
    this.traffic = traffic;
    this.comments = comments;
    // Ids that no namespace can have, being no DNS labels.
    if (isExisting(platform)) {
      const { ingress } = platform;
      this.ingress =
        ingress === undefined
          ? new IngressGateway(this, 'IngressGateway', ownIngress(this.name), false)
          : new JoinedIngress(this, 'IngressGateway', ingress);
      new ExistingDefaults(this, 'MeshDefaults');
      return;
    }
    new ControlPlane(this, 'ControlPlane', platform);
    new RemoteReader(this, 'RemoteReader');
    if (crossNetworks(this.clusters)) this.eastWest = new EastWestGateway(this, 'EastWestGateway');
    this.ingress = new IngressGateway(this, 'IngressGateway', ingressGateway, true);
    new MeshDefaults(this, 'MeshDefaults');
  }

  /** Declares an application namespace, in every cluster. */
  namespace(name: string, props?: NamespaceProps): Namespace<C> {
    return new Namespace(this, name, props);
  }

  /** What is wrong with the mesh's own properties. */
  problems(): readonly Problem[] {
    const { name, platform, clusters } = this;
    const namespaces = this.node.findAll().filter((part) => part instanceof Namespace);
    const names = namespaces.map((namespace) => namespace.name);
    const revisioned = [...names, ingressGateway.namespace, eastWestGateway.namespace];
    const problems = [
      ...meshProblems(this, this.#props),
      ...(isExisting(platform)
        ? existingProblems(this, platform)
        : revisionProblems({ name, platform, clusters }, revisioned)),
      ...defaultProblems(name, this.traffic),
      ...namespaces.flatMap(({ where, traffic }) => defaultProblems(where, traffic, this.traffic)),
    ];
    if (this.tracing === undefined) return problems;
    return [...problems, ...tracingProblems(this.name, this.tracing, names)];
  }

  /** The config.yml of an app folder, read once: sound, or what is wrong with it. */
  app(directory: string): LoadedApp {
    const app = this.#apps.get(directory) ?? loadApp(this, directory);
    this.#apps.set(directory, app);
    return app;
  }

  /**
   * The config.yml of an app that is built from its folder.
   * @throws ProblemsError with everything wrong in it
   */
  appConfig(directory: string): AppConfig {
    const app = this.app(directory);
    if ('problems' in app) throw new ProblemsError(app.problems);
    if (isForeign(app.config)) throw new Error(`${directory} is not built from its folder`);
    return app.config;
  }

  /**
   * Full reference of a container's image: `hub/name:tag@digest`, as images.lock.json pins it, for an app that is built, else
   * what it is given.
   * @throws ProblemsError when the lock does not have it
   */
  image(config: AnyConfig): string {
    const { imageHub } = this.platform;
    if (isForeign(config)) return imageAt(imageHub, config.foreign.reference);
    this.#lock ??= readLock(this.root);
    const { tag, digest } = lockedImage(this.#lock, config);
    return `${imageHub}/${config.name}:${tag}@${digest}`;
  }

  /**
   * The mesh as plain data.
   * @throws ProblemsError when an app's config.yml is wrong
   */
  model(): MeshModel {
    const parts = this.node.findAll();
    const workloads = parts.filter((part) => part instanceof Workload);
    const pods = parts.filter((part) => part instanceof CallingPods);
    const runs = parts.filter((part) => part instanceof Run).map(({ model }) => model);
    const models = workloads.map((workload): WorkloadModel => {
      const plaintext = plaintextPorts(workload);
      return { ...workload.model, ...(plaintext.length > 0 && { plaintext }) };
    });
    // Folders that say by what reference an image goes are none of apps.
    const named = new Set(pods.flatMap(({ app, config }) => (isForeign(config) ? [app] : [])));
    const built = pods.flatMap(({ apps }) => apps).filter((app) => !named.has(app));
    // Proofs call in the name of workloads whose images need not have a program for it; the HTTP gateway's has.
    const isProving = models.some(({ app }) => app === undefined) || runs.length > 0;
    const proving = isProving ? [gatewayApp] : [];
    const apps = new Set([...built, ...proving]);
    const foreign = [...new Set(pods.flatMap(({ foreignImages }) => foreignImages))].sort();
    const { platform, ingress, eastWest } = this;
    const existing = isExisting(platform) ? existingModel(this, platform) : undefined;
    return {
      name: this.name,
      trustDomain: this.trustDomain,
      clusters: this.clusters.map((cluster) => {
        const { name, network, region } = cluster;
        const [zone = ''] = zonesOf(cluster);
        const controlPlanes = isExisting(platform) ? [] : controlPlanesOf(cluster, platform);
        return { name, network, region, zone, controlPlanes };
      }),
      controlPlane: { namespace: existing?.rootNamespace ?? controlPlaneNamespace },
      ...(ingress.isThere ? { ingress: ingress.model } : {}),
      ...(eastWest === undefined ? {} : { eastWest: eastWest.model }),
      ...(existing === undefined ? {} : { existing }),
      namespaces: parts.filter((part) => part instanceof Namespace).map(({ name }) => name),
      workloads: models,
      ...(runs.length === 0 ? {} : { runs }),
      ...existingModels(parts),
      images: [...apps].sort().map((app) => ({ app, reference: this.image(this.appConfig(app)) })),
      ...(foreign.length === 0 ? {} : { foreignImages: foreign }),
      ...(isExisting(platform) ? {} : { istio: { hub: platform.istio.hub, tag: platform.istio.tag } }),
    };
  }
};

function loadApp({ name, root }: { name: string; root: string }, directory: string): LoadedApp {
  const wrong = rootProblems(name, root);
  if (wrong.length > 0) return { problems: wrong };
  if (typeof (directory as unknown) !== 'string') {
    const allowed = 'its path relative to the project root, such as apps/catalog';
    return {
      problems: [{ where: 'app', what: 'is not the folder of an app', received: directory, allowed }],
    };
  }
  try {
    return { config: loadConfig(root, directory) };
  } catch (error) {
    if (error instanceof ProblemsError) return { problems: error.problems };
    throw error;
  }
}
