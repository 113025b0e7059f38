import * as pulumi from '@pulumi/pulumi';
import { KubernetesResource, resourceName } from './kubernetes-resource.ts';
import type { KubernetesResourceOptions } from './kubernetes-resource.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { fromTheRoot } from './mesh-component.ts';
import type { Cluster } from './mesh-component.ts';
import type { StageName } from '../../charts/model/stage.ts';
import { waves } from '../kube/waves.ts';

/** Options of single objects. */
export type ObjectOptions = Pick<KubernetesResourceOptions, 'protect' | 'ignoreChanges'>;

/** One stage in one cluster: the parent of the objects it applies, wave by wave. */
export class Stage extends pulumi.ComponentResource {
  readonly cluster: Cluster;
  readonly #options: (object: KubeObject) => ObjectOptions;
  readonly #resources = new Map<string, KubernetesResource>();
  #previous: Promise<pulumi.Resource[]>;

  /**
   * @param after - the stages that must be ready before this one starts; nothing in it is registered until then
   * @param options - returns the options of an object
   */
  constructor(
    cluster: Cluster,
    stage: StageName,
    after: Promise<readonly Stage[]>,
    options: (object: KubeObject) => ObjectOptions,
  ) {
    const previous = after.then((stages) => [...stages]);
    super(
      'meshwright:infra:Stage',
      `${cluster.name}/${stage}`,
      {},
      { parent: cluster, providers: [cluster.provider], dependsOn: previous, aliases: fromTheRoot },
    );
    this.cluster = cluster;
    this.#options = options;
    this.#previous = previous;
  }

  /** Adds objects in their waves, each wave after everything added before. */
  add(objects: readonly KubeObject[]): void {
    for (const wave of waves(objects)) this.#addAll(wave.map((object) => ({ object })));
  }

  /** Adds a secret whose content is not known yet. */
  addMade(object: KubeObject, made: Promise<KubeObject>, options: ObjectOptions = {}): void {
    this.#addAll([{ object, made, options }]);
  }

  #addAll(
    wave: readonly { object: KubeObject; made?: Promise<KubeObject>; options?: ObjectOptions }[],
  ): void {
    const dependsOn = this.#previous;
    const { name, provider } = this.cluster;
    const added = wave.map(({ object, made, options = this.#options(object) }) => {
      const place = { parent: this, provider, dependsOn };
      const resource = new KubernetesResource(name, object, { ...place, ...options }, made);
      this.#resources.set(key(object), resource);
      return resource;
    });
    this.#previous = Promise.resolve(added);
  }

  /** The resource of an object added before. */
  resource(object: KubeObject): KubernetesResource | undefined {
    return this.#resources.get(key(object));
  }

  /**
   * Ends the stage: nothing may be added after this. Resolves when all its objects are in the cluster; where it has none, once the stages
   * before it are ready.
   */
  async close(): Promise<void> {
    this.registerOutputs({});
    await this.#previous;
    await Promise.all([...this.#resources.values()].map(registered));
  }
}

/** Resolves once the engine has created the resource and it has its URN. A failure ends the program, and this never resolves. */
function registered(resource: pulumi.Resource): Promise<void> {
  return new Promise((resolve) => {
    resource.urn.apply(() => {
      resolve();
    });
  });
}

function key(object: KubeObject): string {
  return `${object.kind} ${resourceName(object)}`;
}
