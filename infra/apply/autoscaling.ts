import type { KubeClient } from '../kube/kube-client.ts';
import { count, field, list, manager, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/** Field manager that holds a Deployment's replicas between us and its autoscaler. */
const between = `${manager}-autoscaling`;

/**
 * Gives up a Deployment's replicas when they leave its declaration because an autoscaler sets them from now on. Left to
 * the apply alone, the API server would drop the field with its only owner and fall back to its default, one pod. So
 * another manager takes the number that runs first
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership).
 */
export async function releaseReplicas(
  client: KubeClient,
  object: KubeObject,
  live: KubeObject,
  signal?: AbortSignal,
): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  if (kind !== 'Deployment' || field(object, 'spec', 'replicas') !== undefined || !isOurs(live)) return;
  const { name, namespace } = metadata;
  const held = { name, ...(namespace === undefined ? {} : { namespace }) };
  const replicas = { apiVersion, kind, metadata: held, spec: { replicas: count(live, 'spec', 'replicas') } };
  await client.apply(replicas, signal, between);
}

/** Whether an earlier apply of ours said how many. */
function isOurs(live: KubeObject): boolean {
  return list(live, 'metadata', 'managedFields').some(
    (entry) =>
      text(entry, 'manager') === manager &&
      text(entry, 'operation') === 'Apply' &&
      field(entry, 'fieldsV1', 'f:spec', 'f:replicas') !== undefined,
  );
}

/**
 * Brings what the given autoscalers scale to their minimum at once: a new Deployment has one pod until its autoscaler
 * looks, and one that was scaled to none by hand is left alone by it.
 */
export async function raiseToMinimum(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal?: AbortSignal,
): Promise<void> {
  for (const autoscaler of objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')) {
    const { namespace } = autoscaler.metadata;
    const name = text(autoscaler, 'spec', 'scaleTargetRef', 'name');
    const least = count(autoscaler, 'spec', 'minReplicas');
    if (namespace === undefined || name === undefined) continue;
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace } };
    const live = await client.get(deployment, signal);
    if (live === undefined || count(live, 'spec', 'replicas') >= least) continue;
    await client.request('PATCH', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/scale`, {
      body: { spec: { replicas: least } },
      contentType: 'application/merge-patch+json',
      query: { fieldManager: between },
      ...(signal && { signal }),
    });
  }
}
