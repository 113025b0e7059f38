import { ProblemsError } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import { KubeError } from './kube-http.ts';
import { qualifiedName } from './kube-client.ts';
import type { KubeClient, ResourceType } from './kube-client.ts';
import { describe, list, managedByLabel, manager, partOfLabel, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import { pool } from './pool.ts';
import { waves } from './waves.ts';

/** How many requests are sent to one API server at a time. */
export const concurrency = 8;
const goneTimeoutMs = 180_000;

/** What a cluster holds of a mesh, as far as the credentials may list it. */
export interface Managed {
  readonly objects: readonly KubeObject[];
  /** Types that they may list neither in the cluster nor in a namespace of the mesh. */
  readonly unlisted: readonly ResourceType[];
}

/** Where a mesh has objects in clusters in which others may have a mesh of the same name: what is elsewhere is theirs. */
export interface Reach {
  readonly namespaces: readonly string[];
  /** Objects outside of namespaces, as {@link describe} names them. */
  readonly outside: readonly string[];
}

/**
 * The objects of these types with the labels of this mesh. Where the credentials may not list a type in all namespaces, it is
 * listed in those of the mesh, which have its labels, too.
 * @param reach - where the mesh has objects. @default - everywhere: the root CA tells two meshes apart
 * @throws KubeError when namespaces cannot be listed.
 */
export async function listManaged(
  client: KubeClient,
  types: readonly ResourceType[],
  mesh: string,
  signal: AbortSignal | undefined,
  reach?: Reach,
): Promise<Managed> {
  const labelSelector = `${managedByLabel}=${manager},${partOfLabel}=${mesh}`;
  const within = { labelSelector, ...(signal && { signal }) };
  const spaces = types.filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Namespace');
  const own = (await Promise.all(spaces.map((type) => client.list(type, within)))).flat();
  const namespaces = reach?.namespaces ?? own.map(({ metadata }) => metadata.name);
  const unlisted: ResourceType[] = [];
  const found = await pool(types, concurrency, async (type) => {
    const everywhere = await client.listIfAllowed(type, within);
    if (everywhere !== undefined) return everywhere;
    const inside = type.namespaced
      ? await Promise.all(namespaces.map((namespace) => client.listIfAllowed(type, { ...within, namespace })))
      : [undefined];
    if (inside.every((objects) => objects === undefined)) unlisted.push(type);
    return inside.flatMap((objects) => objects ?? []);
  });
  const objects = found.flat().filter((object) => !isDerived(object) && isReached(object, reach));
  return { objects, unlisted };
}

function isReached(object: KubeObject, reach: Reach | undefined): boolean {
  if (reach === undefined) return true;
  const { kind, metadata } = object;
  const namespace = kind === 'Namespace' ? metadata.name : metadata.namespace;
  return namespace === undefined
    ? reach.outside.includes(describe(object))
    : reach.namespaces.includes(namespace);
}

/** `backups.example.com, jobs.batch, leases.coordination.k8s.io and 38 more kinds` */
export function describeTypes(types: readonly ResourceType[]): string {
  const names = types.map(qualifiedName).sort();
  const more = names.length - 3;
  const kinds = more === 1 ? '1 more kind' : `${more} more kinds`;
  return `${names.slice(0, 3).join(', ')}${more > 0 ? ` and ${kinds}` : ''}`;
}

/** Whether a controller derived the object from another one: it may have copied that one's labels, and is deleted with it. Endpoints have no owner reference. */
export function isDerived(object: KubeObject): boolean {
  return object.kind === 'Endpoints' || list(object, 'metadata', 'ownerReferences').length > 0;
}

const webhookKinds = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** Groups of objects: each group must be gone before the next is deleted. Namespaces are left out. */
export function removalOrder(
  objects: readonly KubeObject[],
  controlPlaneNamespace: string,
): readonly (readonly KubeObject[])[] {
  const rank = (object: KubeObject): number => {
    if (webhookKinds.includes(object.kind)) return 0;
    if (object.kind === 'CustomResourceDefinition') return 4;
    if (object.metadata.namespace === undefined) return 3;
    return object.metadata.namespace === controlPlaneNamespace ? 2 : 1;
  };
  const removable = objects.filter(({ kind }) => kind !== 'Namespace');
  return [0, 1, 2, 3, 4].flatMap((wanted) =>
    waves(removable.filter((object) => rank(object) === wanted)).toReversed(),
  );
}

/**
 * Deletes objects in parallel and waits until they are gone. What has come under one of their names since they were read stays.
 * @returns those that existed.
 * @throws ProblemsError (exit 1) for a refused deletion, or an object that does not go away in time.
 */
export async function deleteObjects(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const removed = await pool(objects, concurrency, (object) => remove(client, object, signal));
  await pool(objects, concurrency, (object) => awaitGone(client, object, signal));
  return objects.filter((_, index) => removed[index]);
}

async function remove(
  client: KubeClient,
  object: KubeObject,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return await client.remove(object, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new ProblemsError(
      [{ where: `${client.cluster}: ${describe(object)}`, what: `not deleted: ${error.reason}` }],
      1,
    );
  }
}

function awaitGone(client: KubeClient, object: KubeObject, signal: AbortSignal | undefined): Promise<true> {
  const what = `${client.cluster}: ${describe(object)} deleted`;
  return waitFor<true>({ what, timeoutMs: goneTimeoutMs, ...(signal && { signal }) }, async () => {
    const live = await client.get(object, signal);
    // Another uid means another object: it was created again.
    if (uid(live) !== uid(object)) return { done: true, value: true };
    const waiting = [
      ...list(live, 'metadata', 'finalizers'),
      ...list(live, 'status', 'conditions').flatMap(blocking),
    ];
    return {
      done: false,
      because: waiting.length === 0 ? 'it still exists' : `it waits for ${waiting.join('; ')}`,
    };
  });
}

function uid(object: KubeObject | undefined): string | undefined {
  return text(object, 'metadata', 'uid');
}

/** What a terminating namespace waits for, from its conditions. */
function blocking(condition: unknown): readonly string[] {
  const { status, message } = condition as { readonly status?: string; readonly message?: string };
  return status === 'True' && message !== undefined ? [message] : [];
}
