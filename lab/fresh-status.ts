import { z } from 'zod';

const nodeSchema = z.object({
  status: z.object({
    conditions: z.array(
      z.object({ type: z.string(), status: z.string(), message: z.string(), lastHeartbeatTime: z.string() }),
    ),
  }),
});

const podsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
        containerStatuses: z
          .array(z.object({ state: z.object({ running: z.object({ startedAt: z.string() }).optional() }) }))
          .default([]),
      }),
    }),
  ),
});

/** Kubernetes writes times in whole seconds. */
const isBefore = (time: string, start: number) => Date.parse(time) < Math.floor(start / 1000) * 1000;

/**
 * Why a node is not Ready, from its object. What the API server kept from before the node was started does not count: a
 * node that was killed stays Ready there for 40 s.
 * @param start - when the node was started, in milliseconds since 1970
 */
export function whyNodeNotReady(body: string, start: number): string | undefined {
  const ready = nodeSchema.parse(JSON.parse(body)).status.conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined || isBefore(ready.lastHeartbeatTime, start)) {
    return 'the kubelet has not reported yet';
  }
  return ready.status === 'True' ? undefined : ready.message;
}

/**
 * Why the statuses of a node's pods cannot be trusted yet, from their list: the containers of a pod that is told to be ready
 * ended with an earlier start of the node.
 */
export function whyPodsNotReported(body: string, start: number): string | undefined {
  const stale = podsSchema
    .parse(JSON.parse(body))
    .items.filter(
      ({ status }) =>
        status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True') &&
        status.containerStatuses.some(
          ({ state }) => state.running && isBefore(state.running.startedAt, start),
        ),
    );
  if (stale.length === 0) return undefined;
  const names = stale.map(({ metadata: { name, namespace } }) => `${namespace}/${name}`);
  return `the kubelet has not reported on ${names.join(', ')} since the node was started`;
}
