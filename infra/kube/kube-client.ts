import { KubeError, KubeHttp } from './kube-http.ts';
import { list, manager, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

/** A served resource type, from the API's discovery. */
export interface ResourceType {
  readonly apiVersion: string;
  readonly kind: string;
  /** Plural name in paths. */
  readonly name: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** Which objects of a type are listed. */
interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly signal?: AbortSignal;
}

/**
 * Reads and writes objects of one cluster without changing them. The generated client would drop fields that its types do
 * not know, and the applied objects must equal the reviewed ones; so only its kubeconfig handling is used.
 */
export class KubeClient extends KubeHttp {
  readonly #types = new Map<string, Promise<readonly ResourceType[]>>();

  /** Reads an object; undefined when it, or its kind, does not exist. */
  async get(object: KubeObject, signal?: AbortSignal): Promise<KubeObject | undefined> {
    const type = await this.typeOf(object.apiVersion, object.kind, signal);
    if (type === undefined) return undefined;
    return (await absent(this.request('GET', pathOf(type, object), { ...(signal && { signal }) }))) as
      KubeObject | undefined;
  }

  /** Server-side apply with force: the manager takes over the object's fields from any other manager. */
  async apply(object: KubeObject, signal?: AbortSignal, fieldManager = manager): Promise<KubeObject> {
    return this.#patch(object, { fieldManager, force: 'true' }, signal);
  }

  /** What {@link apply} would answer, without storing anything. */
  async dryRunApply(object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    return this.#patch(object, { fieldManager: manager, force: 'true', dryRun: 'All' }, signal);
  }

  async #patch(
    object: KubeObject,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<KubeObject> {
    const type = await this.#servedType(object, signal);
    return (await this.request('PATCH', pathOf(type, object), {
      query,
      body: object,
      contentType: 'application/apply-patch+yaml',
      ...(signal && { signal }),
    })) as KubeObject;
  }

  /** Runs a creation through admission without storing anything, and returns what would have been stored. */
  async dryRunCreate(object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    const type = await this.#servedType(object, signal);
    return (await this.request('POST', collectionPath(type, object.metadata.namespace), {
      query: { dryRun: 'All', fieldManager: manager },
      body: object,
      retryMs: 0,
      ...(signal && { signal }),
    })) as KubeObject;
  }

  /**
   * Deletes an object with its dependents. One that was read is deleted only while it is still the one that was read: a later one
   * of its name is somebody else's.
   * @returns false when it was not there
   */
  async remove(object: KubeObject, signal?: AbortSignal): Promise<boolean> {
    const type = await this.typeOf(object.apiVersion, object.kind, signal);
    if (type === undefined) return false;
    const uid = text(object, 'metadata', 'uid');
    const body = deleteOptions(uid, { propagationPolicy: 'Background' });
    const asked = { body, ...(signal && { signal }) };
    try {
      return (await absent(this.request('DELETE', pathOf(type, object), asked))) !== undefined;
    } catch (error) {
      if (uid === undefined || !(error instanceof KubeError && error.status === 409)) throw error;
      const live = await this.get(object, signal);
      if (text(live, 'metadata', 'uid') === uid) throw error;
      return false;
    }
  }

  /** Like {@link list}; undefined when the credentials may not list them. */
  async listIfAllowed(type: ResourceType, options: ListOptions): Promise<readonly KubeObject[] | undefined> {
    try {
      return await this.list(type, options);
    } catch (error) {
      if (error instanceof KubeError && error.status === 403) return undefined;
      throw error;
    }
  }

  /** Lists objects of a type, in all namespaces unless one is given. */
  async list(type: ResourceType, options: ListOptions = {}): Promise<readonly KubeObject[]> {
    const { namespace, labelSelector, fieldSelector, signal } = options;
    const query = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
    const answer = await absent(
      this.request('GET', collectionPath(type, namespace), { query, ...(signal && { signal }) }),
    );
    // Items of a list have no apiVersion and kind of their own.
    return list(answer, 'items').map((item) => ({
      ...(item as KubeObject),
      apiVersion: type.apiVersion,
      kind: type.kind,
    }));
  }

  /** How the API server serves a kind; undefined when it does not. Discovery is cached, and repeated for a kind not seen yet. */
  async typeOf(apiVersion: string, kind: string, signal?: AbortSignal): Promise<ResourceType | undefined> {
    const find = (types: readonly ResourceType[]) => types.find((type) => type.kind === kind);
    const known = this.#types.get(apiVersion);
    const found = known === undefined ? undefined : find(await known);
    if (found !== undefined) return found;
    if (this.#types.get(apiVersion) === known) {
      const asked = this.#discover(apiVersion, signal);
      asked.catch(() => this.#types.delete(apiVersion));
      this.#types.set(apiVersion, asked);
    }
    return find((await this.#types.get(apiVersion)) ?? []);
  }

  /**
   * Every type whose objects can be listed and deleted, for sweeping by label: in its group's preferred version, or in the
   * first that serves it (an EnvoyFilter is not served in the version that the other types of its group prefer).
   */
  async sweepableTypes(signal?: AbortSignal): Promise<readonly ResourceType[]> {
    const groups = list(await this.request('GET', '/apis', { ...(signal && { signal }) }), 'groups');
    const versions = groups.flatMap((group) => {
      const all = list(group, 'versions').flatMap((version) => text(version, 'groupVersion') ?? []);
      return [...new Set([text(group, 'preferredVersion', 'groupVersion') ?? [], ...all].flat())];
    });
    const served = await Promise.all(['v1', ...versions].map((version) => this.#discover(version, signal)));
    const types = new Map<string, ResourceType>();
    for (const type of served.flat()) {
      const name = qualifiedName(type);
      if (!types.has(name) && type.verbs.includes('list') && type.verbs.includes('delete'))
        types.set(name, type);
    }
    return [...types.values()];
  }

  async #servedType(object: KubeObject, signal: AbortSignal | undefined): Promise<ResourceType> {
    const type = await this.typeOf(object.apiVersion, object.kind, signal);
    if (type === undefined)
      throw new KubeError(
        this.cluster,
        object.kind,
        404,
        `it does not serve ${object.kind} in ${object.apiVersion}`,
      );
    return type;
  }

  async #discover(apiVersion: string, signal: AbortSignal | undefined): Promise<readonly ResourceType[]> {
    const answer = await absent(this.request('GET', apiPath(apiVersion), { ...(signal && { signal }) }));
    return list(answer, 'resources').flatMap((resource): ResourceType[] => {
      const { name, kind, namespaced, verbs } = resource as ResourceType;
      return name.includes('/') ? [] : [{ apiVersion, kind, name, namespaced, verbs }];
    });
  }
}

/** Plural name and group, as a CustomResourceDefinition is named: `gateways.networking.istio.io`, `pods`. */
export function qualifiedName({ apiVersion, name }: ResourceType): string {
  const [group, version] = apiVersion.split('/');
  return version === undefined ? name : `${name}.${group ?? ''}`;
}

/**
 * The body of a deletion. A server that gets one does not read the query.
 * @param uid - of the object that is meant, if it was read
 */
export function deleteOptions(uid: string | undefined, options: object): object {
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  return { apiVersion: 'v1', kind: 'DeleteOptions', ...options, ...preconditions };
}

function apiPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function collectionPath(type: ResourceType, namespace: string | undefined): string {
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
  return `${apiPath(type.apiVersion)}${scope}/${type.name}`;
}

function pathOf(type: ResourceType, object: KubeObject): string {
  const namespace = type.namespaced ? (object.metadata.namespace ?? 'default') : undefined;
  return `${collectionPath(type, namespace)}/${encodeURIComponent(object.metadata.name)}`;
}

/** The answer, or undefined for 404. */
async function absent(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return undefined;
    throw error;
  }
}
