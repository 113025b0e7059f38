import { yieldToIstiod } from './apply-object.ts';
import { isAsApplied } from './as-applied.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { listManaged } from '../kube/managed.ts';

/** The objects of a mesh that a cluster held at one moment. */
export class Snapshot {
  readonly objects: readonly KubeObject[];
  readonly #byKey: ReadonlyMap<string, KubeObject>;

  private constructor(objects: readonly KubeObject[]) {
    this.objects = objects;
    this.#byKey = new Map(objects.map((object) => [keyOf(object), object]));
  }

  static async take(client: KubeClient, mesh: string, signal: AbortSignal | undefined): Promise<Snapshot> {
    return new Snapshot(await listManaged(client, await client.sweepableTypes(signal), mesh, signal));
  }

  /** Whether the object was there just as an apply would leave it; see {@link isAsApplied}. */
  holds(object: KubeObject): boolean {
    const live = this.#byKey.get(keyOf(object));
    return live !== undefined && isAsApplied(yieldToIstiod(object, live), live);
  }
}

/** Without the version: an object is listed in the preferred one, whichever it was applied in. */
export function keyOf(object: KubeObject): string {
  const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '';
  return `${group} ${describe(object)}`;
}
