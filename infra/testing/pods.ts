/** What a test says of a pod: container statuses, conditions. */
export interface PodState {
  readonly status?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  /** When it was made, ISO 8601. @default - just now, as far as anybody looks */
  readonly created?: string;
}

/** A pod of a ReplicaSet, `catalog-1` unless named otherwise. */
export function podOf(replicaSet: string, { status = {}, spec = {}, created }: PodState, name = 'catalog-1') {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      labels: { app: 'catalog' },
      ownerReferences: [{ uid: replicaSet }],
      ...(created !== undefined && { creationTimestamp: created }),
    },
    spec,
    status,
  };
}

/** A container's status that waits. */
export function waiting(name: string, reason: string, message = '', more: object = {}): object {
  return { name, ready: false, restartCount: 0, state: { waiting: { reason, message } }, ...more };
}

/** A container's status that has ended, and is ended still. */
export function ended(name: string, exitCode: number, reason = 'Error', more: object = {}): object {
  return { name, ready: false, restartCount: 0, state: { terminated: { exitCode, reason } }, ...more };
}

/** A container's status in a crash loop, after some restarts. */
export function looping(name: string, restartCount: number): object {
  const lastState = { terminated: { exitCode: 1, reason: 'Error' } };
  return waiting(name, 'CrashLoopBackOff', 'back-off 10s restarting failed container', {
    restartCount,
    lastState,
  });
}

/** A Deployment, `catalog` unless named otherwise, whose controller has seen its last change. */
export function deploymentOf(name = 'catalog', status: object = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, generation: 1 },
    spec: { replicas: 1, selector: { matchLabels: { app: name } } },
    status: { observedGeneration: 1, updatedReplicas: 1, replicas: 1, ...status },
  };
}

/** A ReplicaSet of a Deployment; the highest revision is of the last change. */
export function replicaSetOf(deployment: string, revision: number, uid: string) {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: uid,
      namespace: 'shop',
      uid,
      labels: { app: deployment },
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      ownerReferences: [{ uid: `uid-${deployment}` }],
    },
  };
}
