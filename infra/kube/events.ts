import type { KubeClient } from './kube-client.ts';
import { text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

/**
 * The warnings that were recorded about objects, the one seen last at the end.
 * @throws KubeError when the server refuses the list, such as with 403.
 */
export async function warningsOf(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal?: AbortSignal,
): Promise<readonly KubeObject[]> {
  return eventsOf(client, objects, 'type=Warning', signal);
}

/** Like {@link warningsOf}, of what a field selector selects. */
export async function eventsOf(
  client: KubeClient,
  objects: readonly KubeObject[],
  selector: string,
  signal?: AbortSignal,
): Promise<readonly KubeObject[]> {
  const type = await client.typeOf('v1', 'Event', signal);
  if (type === undefined) return [];
  const events = await Promise.all(
    objects.map((object) =>
      client.list(type, {
        ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
        fieldSelector: `involvedObject.uid=${text(object, 'metadata', 'uid') ?? ''},${selector}`,
        ...(signal && { signal }),
      }),
    ),
  );
  return events.flat().sort((a, b) => lastSeen(a).localeCompare(lastSeen(b)));
}

function lastSeen(event: KubeObject): string {
  return (
    text(event, 'lastTimestamp') ??
    text(event, 'eventTime') ??
    text(event, 'metadata', 'creationTimestamp') ??
    ''
  );
}
