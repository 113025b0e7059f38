import type { MeshModel } from '../charts/model.ts';
import { ProblemsError } from '../core/problem.ts';
import { waitFor } from '../core/wait.ts';
import { connect } from './connection.ts';
import type { ClusterAccess } from './connection.ts';
import { KubeError } from './kube-http.ts';
import type { KubeClient, ResourceType } from './kube-client.ts';
import { describe, isManaged, list, manager, managedByLabel, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import { pool } from './pool.ts';
import { waves } from './waves.ts';

export interface RemoveOptions {
  readonly access: Readonly<Record<string, ClusterAccess>>;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

const concurrency = 8;
const goneTimeoutMs = 180_000;

/**
 * Deletes from every cluster what `up` made there, found by its managed-by label, in the reverse order of the stages:
 * webhooks first, so that nothing waits for a webhook that is gone; then what runs, then its configuration, Istio's
 * control plane, what is not in a namespace, the definitions of custom resources, and the namespaces. A namespace in which
 * somebody else runs something is kept and said so. Running it again finds nothing to do.
 * @throws ProblemsError: exit 2 for a wrong kubeconfig or context; exit 1 for a cluster that cannot be reached, a refused
 * deletion, or objects that do not go away in time.
 */
export async function removeMesh(model: MeshModel, options: RemoveOptions): Promise<void> {
  const names = model.clusters.map(({ name }) => name);
  const clients = await connect(names, options.access, options.signal);
  await pool(Object.values(clients), names.length, (client) => removeFrom(client, model, options));
}

async function removeFrom(client: KubeClient, model: MeshModel, options: RemoveOptions): Promise<void> {
  const { report, signal } = options;
  const types = (await client.allTypes(signal)).filter(
    ({ verbs }) => verbs.includes('list') && verbs.includes('delete'),
  );
  const owned = await listManaged(client, types, signal);
  let removed = 0;
  for (const group of removalOrder(owned, model.controlPlane.namespace)) {
    removed += (await pool(group, concurrency, (object) => removeObject(client, object, signal))).filter(
      Boolean,
    ).length;
    await awaitGone(client, group, signal);
  }
  await removeIstioLeftovers(client, types, signal);
  const namespaces = owned.filter(({ kind }) => kind === 'Namespace');
  const free: KubeObject[] = [];
  for (const namespace of namespaces) {
    const strangers = await othersIn(client, types, namespace.metadata.name, signal);
    if (strangers.length === 0) free.push(namespace);
    else {
      const shown = strangers.slice(0, 3).map(describe).join(', ');
      report(
        `${client.cluster}: namespace ${namespace.metadata.name} is kept, it holds what meshwright did not make: ${shown}`,
      );
    }
  }
  await pool(free, concurrency, (namespace) => client.remove(namespace, signal));
  await awaitGone(client, free, signal);
  removed += free.length;
  report(`${client.cluster}: ${removed === 0 ? 'nothing to remove' : `removed ${removed} objects`}`);
}

const webhookKinds = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** Groups of objects, each to be gone before the next is deleted; namespaces are not among them. */
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

async function listManaged(
  client: KubeClient,
  types: readonly ResourceType[],
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const labelSelector = `${managedByLabel}=${manager}`;
  const found = await pool(types, concurrency, (type) =>
    client.list(type, { labelSelector, ...(signal && { signal }) }),
  );
  return found.flat().filter((object) => !isDerived(object) && isManaged(object));
}

/** What a controller made from another object may carry that one's labels, and goes when it goes; Endpoints have no owner. */
function isDerived(object: KubeObject): boolean {
  return object.kind === 'Endpoints' || list(object, 'metadata', 'ownerReferences').length > 0;
}

async function removeObject(
  client: KubeClient,
  object: KubeObject,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return await client.remove(object, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new ProblemsError(
      [{ where: `${client.cluster}: ${describe(object)}`, what: `not deleted: ${error.said}` }],
      1,
    );
  }
}

async function awaitGone(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await pool(objects, concurrency, (object) =>
    waitFor(
      {
        what: `${client.cluster}: ${describe(object)} deleted`,
        timeoutMs: goneTimeoutMs,
        ...(signal && { signal }),
      },
      async () => {
        const live = await client.get(object, signal);
        // Another uid is another object: somebody made it again.
        if (uid(live) !== uid(object)) return { done: true, value: true };
        const waiting = [
          ...list(live, 'metadata', 'finalizers'),
          ...list(live, 'status', 'conditions').flatMap(blocking),
        ];
        return {
          done: false,
          because: waiting.length === 0 ? 'it still exists' : `it waits for ${waiting.join('; ')}`,
        };
      },
    ),
  );
}

function uid(object: KubeObject | undefined): string | undefined {
  return text(object, 'metadata', 'uid');
}

/** A terminating namespace says what it waits for in its conditions. */
function blocking(condition: unknown): readonly string[] {
  const { status, message } = condition as { readonly status?: string; readonly message?: string };
  return status === 'True' && message !== undefined ? [message] : [];
}

/** istiod writes its root certificate into every namespace and leaves it there. */
async function removeIstioLeftovers(
  client: KubeClient,
  types: readonly ResourceType[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const type = types.find(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap');
  if (type === undefined) return;
  const fieldSelector = 'metadata.name=istio-ca-root-cert';
  const labelSelector = 'istio.io/config=true';
  const copies = await client.list(type, { fieldSelector, labelSelector, ...(signal && { signal }) });
  await pool(copies, concurrency, (object) => removeObject(client, object, signal));
}

const workKinds = [
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'CronJob',
  'Job',
  'PersistentVolumeClaim',
  'Pod',
];

/** What runs or is stored in a namespace without being ours or made from ours. */
async function othersIn(
  client: KubeClient,
  types: readonly ResourceType[],
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const kinds = types.filter(({ kind, namespaced }) => namespaced && workKinds.includes(kind));
  const found = await pool(kinds, concurrency, (type) =>
    client.list(type, { namespace, ...(signal && { signal }) }),
  );
  return found.flat().filter((object) => !isManaged(object) && !isDerived(object));
}
