import { isDeepStrictEqual } from 'node:util';
import { yieldToIstiod } from './apply-object.ts';
import { isAsApplied } from './as-applied.ts';
import type { KubeClient, ResourceType } from '../kube/kube-client.ts';
import { KubeError } from '../kube/kube-http.ts';
import { field, keyOf } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { concurrency, listManaged } from '../kube/managed.ts';
import type { Managed, Reach } from '../kube/managed.ts';
import { isRestored } from '../kube/ownership.ts';
import { pool } from '../kube/pool.ts';

/** The objects of a mesh that a cluster held at one moment. */
export class Snapshot {
  readonly objects: readonly KubeObject[];
  /** Kinds of which nothing is known, because the credentials may not list them. */
  readonly unlisted: readonly ResourceType[];
  readonly #client: KubeClient;
  readonly #byKey: ReadonlyMap<string, KubeObject>;

  private constructor(client: KubeClient, { objects, unlisted }: Managed) {
    this.#client = client;
    this.objects = objects;
    this.unlisted = unlisted;
    this.#byKey = new Map(objects.map((object) => [keyOf(object), object]));
  }

  /** @param reach - as in {@link listManaged} */
  static async take(
    client: KubeClient,
    mesh: string,
    signal: AbortSignal | undefined,
    reach?: Reach,
  ): Promise<Snapshot> {
    const types = await client.sweepableTypes(signal);
    return new Snapshot(client, await listManaged(client, types, mesh, signal, reach));
  }

  /**
   * Whether all these objects were there just as an apply would leave them. Where that cannot be told from the live object, as
   * the API server fills in what was left out of it, a dry run of the apply tells.
   */
  async holds(objects: readonly KubeObject[], signal: AbortSignal | undefined): Promise<boolean> {
    const pairs = objects.flatMap((object) => {
      const live = this.#byKey.get(keyOf(object));
      return live === undefined ? [] : [{ object: yieldToIstiod(object, live), live }];
    });
    if (pairs.length < objects.length || pairs.some(({ live }) => isRestored(live))) return false;
    const unclear = pairs.filter(({ object, live }) => !isAsApplied(object, live));
    if (unclear.some(({ live }) => field(live, 'metadata', 'deletionTimestamp') !== undefined)) return false;
    const same = await pool(unclear, concurrency, ({ object, live }) =>
      this.#changesNothing(object, live, signal),
    );
    return same.every(Boolean);
  }

  async #changesNothing(
    object: KubeObject,
    live: KubeObject,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    try {
      return isDeepStrictEqual(await this.#client.dryRunApply(object, signal), live);
    } catch (error) {
      // Whoever applies it is told why.
      if (error instanceof KubeError) return false;
      throw error;
    }
  }
}
