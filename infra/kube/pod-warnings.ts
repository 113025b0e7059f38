import { eventsOf, warningsOf } from './events.ts';
import type { KubeClient } from './kube-client.ts';
import { condition, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import { said } from './pod-trouble.ts';
import type { Trouble } from './pod-trouble.ts';

/** What a volume refers to and the cluster does not have. */
const missing = /(secret|configmap)s? "[^"]*" not found|references non-existent (secret|config) key/i;

/**
 * What the last warning about a pod says of why it is not ready, where its status says nothing: a volume that cannot be
 * mounted, a probe that fails.
 * @throws KubeError when the server does not let us list events.
 */
export async function warningOf(
  client: KubeClient,
  pod: KubeObject,
  signal?: AbortSignal,
): Promise<Trouble | undefined> {
  // What came before the sandbox is over once there is one.
  const made = text(condition(pod, 'PodReadyToStartContainers'), 'status') === 'True';
  const event = (await warningsOf(client, [pod], signal)).findLast((one) => {
    const name = text(one, 'reason') ?? '';
    return Object.hasOwn(known, name) && (name === 'Unhealthy') === made;
  });
  if (event === undefined) return undefined;
  const reason = text(event, 'reason') ?? '';
  const message = text(event, 'message') ?? '';
  const container = /^spec\.(?:initC|c)ontainers\{(.*)\}$/.exec(
    text(event, 'involvedObject', 'fieldPath') ?? '',
  );
  const { what, fix } = known[reason] ?? { what: 'is not ready', fix: 'correct what the message reports' };
  return {
    pod,
    ...(container?.[1] !== undefined && { container: container[1] }),
    reason,
    what: `${what}: ${said(reason, message)}`,
    outlook: reason === 'FailedMount' && missing.test(message) ? 'never' : 'maybe',
    fix,
    restarts: 0,
    ...(reason === 'Unhealthy' && container?.[1] !== undefined && { log: 'current' }),
  };
}

/**
 * A crash with the probe that it was killed for, if the events tell: its exit code and its log do not.
 * @throws KubeError when the server does not let us list events.
 */
export async function withProbe(
  client: KubeClient,
  trouble: Trouble,
  signal?: AbortSignal,
): Promise<Trouble> {
  const { pod, container, what, log, restarts } = trouble;
  if (log === undefined || restarts === 0) return trouble;
  const killings = await eventsOf(client, [pod], 'reason=Killing', signal);
  const message = killings
    .map((event) => text(event, 'message') ?? '')
    .findLast((one) => one.startsWith(`Container ${container ?? ''} `));
  const probe = /failed (\w+) probe/.exec(message ?? '')?.[1];
  if (probe === undefined) return trouble;
  return { ...trouble, what: `${what}, killed as its ${probe} probe failed` };
}

const known: Readonly<Record<string, { readonly what: string; readonly fix: string }>> = {
  FailedMount: {
    what: 'cannot mount its volumes',
    fix: 'create what the message names, or correct the name',
  },
  FailedAttachVolume: {
    what: 'cannot attach its volumes',
    fix: 'correct what the message reports',
  },
  FailedCreatePodSandBox: {
    what: 'gets no network or sandbox on its node',
    fix: 'correct the cause on the node',
  },
  Unhealthy: {
    what: 'is not ready',
    fix: 'correct the error in its log, or its readiness probe',
  },
};
