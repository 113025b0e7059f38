import type { KubeClient } from '../kube/kube-client.ts';
import { condition, describe, field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

const lastEvents = 3;
const podsShown = 2;

/**
 * Why a workload is not ready, in one line: what its controller says, and for its first failing pods the state of their
 * containers and their last events. Never fails: it is asked while another failure is being told.
 */
export async function diagnose(client: KubeClient, workload: KubeObject): Promise<string> {
  const name = describe(workload);
  try {
    const live = await client.get(workload);
    if (live === undefined) return `${name} in ${client.cluster}`;
    const pods = (await listOf(client, live, 'Pod', selectorOf(live))).filter((pod) => !isReady(pod));
    const replicaSets = await listOf(client, live, 'ReplicaSet', selectorOf(live));
    const failure = replicaFailure(live);
    const events = await eventsOf(client, [live, ...replicaSets]);
    const parts = failure === undefined ? [...events] : [failure];
    for (const pod of pods.slice(0, podsShown)) {
      parts.push([describe(pod), ...containerStates(pod), ...(await eventsOf(client, [pod]))].join(', '));
    }
    return [`${name} in ${client.cluster}`, ...parts].join('; ');
  } catch (error) {
    return `${name} in ${client.cluster} (its pods cannot be listed: ${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Why a Service has no load balancer, as far as its events tell. Never fails, like {@link diagnose}. */
export async function diagnoseLoadBalancer(client: KubeClient, service: KubeObject): Promise<string> {
  const parts = [
    `whether anything in ${client.cluster} makes load balancers; node ports can be declared where nothing does`,
  ];
  try {
    const live = await client.get(service);
    return [...(live === undefined ? [] : await eventsOf(client, [live])), ...parts].join('; ');
  } catch {
    return parts.join('; ');
  }
}

async function listOf(
  client: KubeClient,
  owner: KubeObject,
  kind: 'Pod' | 'ReplicaSet',
  labelSelector: string,
): Promise<readonly KubeObject[]> {
  const { namespace } = owner.metadata;
  const type = await client.typeOf(kind === 'Pod' ? 'v1' : 'apps/v1', kind);
  if (type === undefined || namespace === undefined || labelSelector === '') return [];
  return client.list(type, { namespace, labelSelector });
}

function selectorOf(workload: KubeObject): string {
  const labels = (field(workload, 'spec', 'selector', 'matchLabels') ?? {}) as Record<string, string>;
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function isReady(pod: KubeObject): boolean {
  return text(condition(pod, 'Ready'), 'status') === 'True';
}

/** Why the controller cannot make pods; their absence says nothing itself. */
function replicaFailure(workload: KubeObject): string | undefined {
  return text(condition(workload, 'ReplicaFailure'), 'message');
}

/** `container proxy waiting: ImagePullBackOff (…)` for each container that does not run or is not ready. */
export function containerStates(pod: KubeObject): readonly string[] {
  const statuses = [
    ...list(pod, 'status', 'initContainerStatuses'),
    ...list(pod, 'status', 'containerStatuses'),
  ];
  return statuses.flatMap((status) => {
    const name = `container ${text(status, 'name')}`;
    const waiting = field(status, 'state', 'waiting');
    const ended = field(status, 'state', 'terminated') ?? field(status, 'lastState', 'terminated');
    const last =
      ended === undefined
        ? ''
        : `, ended with exit code ${String(field(ended, 'exitCode'))}${reasonOf(ended)}`;
    if (waiting !== undefined) return [`${name} waiting${reasonOf(waiting)}${last}`];
    if (field(status, 'ready') === true || field(ended, 'exitCode') === 0) return [];
    return [`${name} not ready${last}`];
  });
}

function reasonOf(state: unknown): string {
  const said = [text(state, 'reason'), text(state, 'message')].filter((part) => part !== undefined);
  return said.length === 0 ? '' : `: ${said.join(' ')}`;
}

async function eventsOf(client: KubeClient, objects: readonly KubeObject[]): Promise<readonly string[]> {
  const type = await client.typeOf('v1', 'Event');
  if (type === undefined) return [];
  const events = await Promise.all(
    objects.map((object) =>
      client.list(type, {
        ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
        fieldSelector: `involvedObject.uid=${text(object, 'metadata', 'uid')},type=Warning`,
      }),
    ),
  );
  return events
    .flat()
    .sort((a, b) => lastSeen(a).localeCompare(lastSeen(b)))
    .slice(-lastEvents)
    .map((event) => `event ${text(event, 'reason')}: ${text(event, 'message')}`);
}

function lastSeen(event: KubeObject): string {
  return (
    text(event, 'lastTimestamp') ??
    text(event, 'eventTime') ??
    text(event, 'metadata', 'creationTimestamp') ??
    ''
  );
}
