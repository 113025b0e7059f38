import * as pulumi from '@pulumi/pulumi';
import { KubernetesResource, resourceName } from './kubernetes-resource.ts';
import type { KubeObject } from './kube-object.ts';
import type { StageKey } from './plan.ts';
import { waves } from './waves.ts';

/** One stage in one cluster: the parent of the objects it applies, wave by wave. */
export class Stage extends pulumi.ComponentResource {
  readonly cluster: string;
  readonly #provider: pulumi.ProviderResource;
  readonly #resources = new Map<string, KubernetesResource>();
  #previous: readonly pulumi.Resource[];

  constructor(key: StageKey, provider: pulumi.ProviderResource, after: readonly Stage[]) {
    super(
      'meshwright:infra:Stage',
      `${key.cluster}/${key.stage}`,
      {},
      { providers: [provider], dependsOn: [...after] },
    );
    this.cluster = key.cluster;
    this.#provider = provider;
    this.#previous = after;
  }

  /** Adds objects in their waves, each after what was added before. */
  add(objects: readonly KubeObject[]): void {
    for (const wave of waves(objects)) {
      this.#previous = wave.map((object) => {
        const resource = new KubernetesResource(this.cluster, object, {
          parent: this,
          provider: this.#provider,
          dependsOn: [...this.#previous],
        });
        this.#resources.set(key(object), resource);
        return resource;
      });
    }
  }

  /** The resource of an object added before. */
  resource(object: KubeObject): KubernetesResource | undefined {
    return this.#resources.get(key(object));
  }

  /** Says that nothing more is added. */
  close(): void {
    this.registerOutputs({});
  }
}

function key(object: KubeObject): string {
  return `${object.kind} ${resourceName(object)}`;
}
