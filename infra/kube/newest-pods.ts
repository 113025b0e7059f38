import type { KubeClient } from './kube-client.ts';
import { field, list, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

const revisionKey = 'deployment.kubernetes.io/revision';
const hashKey = 'controller-revision-hash';
const generationKey = 'deprecated.daemonset.template.generation';

/**
 * The pods of the present template of a Deployment, a DaemonSet or a StatefulSet, or of a Job, whatever state they are in, without those being deleted.
 * Pods of earlier templates say nothing about a roll-out.
 * @param workload - as it lives in the cluster, after its controller has seen the last change
 * @throws KubeError when the server refuses a list.
 */
export async function newestPods(
  client: KubeClient,
  workload: KubeObject,
  signal?: AbortSignal,
): Promise<readonly KubeObject[]> {
  const pods = (await listOwned(client, workload, 'v1', 'Pod', signal)).filter(
    (pod) => field(pod, 'metadata', 'deletionTimestamp') === undefined,
  );
  if (workload.kind === 'Job') return pods.filter((pod) => isOwnedBy(pod, workload));
  if (workload.kind === 'StatefulSet') {
    const revision = text(workload, 'status', 'updateRevision');
    return pods.filter((pod) => isOwnedBy(pod, workload) && pod.metadata.labels?.[hashKey] === revision);
  }
  if (workload.kind === 'DaemonSet') {
    const generation = workload.metadata.annotations?.[generationKey];
    return pods.filter(
      (pod) =>
        isOwnedBy(pod, workload) &&
        (generation === undefined || pod.metadata.labels?.['pod-template-generation'] === generation),
    );
  }
  const replicaSets = (await listOwned(client, workload, 'apps/v1', 'ReplicaSet', signal))
    .filter((replicaSet) => isOwnedBy(replicaSet, workload))
    .sort((a, b) => revisionOf(a) - revisionOf(b));
  const newest = replicaSets.at(-1);
  return newest === undefined ? [] : pods.filter((pod) => isOwnedBy(pod, newest));
}

/**
 * The pods of earlier templates of a StatefulSet that starts its pods in order. Its controller waits for one that is not ready before it changes any, and
 * would wait for ever for one that cannot get ready (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback).
 * @throws KubeError when the server refuses the list.
 */
export async function earlierPods(
  client: KubeClient,
  workload: KubeObject,
  signal?: AbortSignal,
): Promise<readonly KubeObject[]> {
  const isOrdered = text(workload, 'spec', 'podManagementPolicy') !== 'Parallel';
  if (workload.kind !== 'StatefulSet' || !isOrdered) return [];
  const revision = text(workload, 'status', 'updateRevision');
  return (await listOwned(client, workload, 'v1', 'Pod', signal)).filter(
    (pod) =>
      field(pod, 'metadata', 'deletionTimestamp') === undefined &&
      isOwnedBy(pod, workload) &&
      pod.metadata.labels?.[hashKey] !== revision,
  );
}

async function listOwned(
  client: KubeClient,
  workload: KubeObject,
  apiVersion: string,
  kind: string,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const { namespace } = workload.metadata;
  const labels = Object.entries(field(workload, 'spec', 'selector', 'matchLabels') ?? {});
  const type = await client.typeOf(apiVersion, kind, signal);
  if (type === undefined || namespace === undefined || labels.length === 0) return [];
  const labelSelector = labels.map(([key, value]) => `${key}=${String(value)}`).join(',');
  return client.list(type, { namespace, labelSelector, ...(signal && { signal }) });
}

function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  const uid = text(owner, 'metadata', 'uid');
  return list(object, 'metadata', 'ownerReferences').some((reference) => text(reference, 'uid') === uid);
}

function revisionOf(replicaSet: KubeObject): number {
  return Number(replicaSet.metadata.annotations?.[revisionKey] ?? 0);
}
