import { oneLine } from '../../core/one-line.ts';
import { warningsOf } from '../kube/events.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { newestPods } from '../kube/newest-pods.ts';

const lastEvents = 3;
const podsShown = 2;
const longestMessage = 400;

/**
 * Why a workload is not ready though its pods are in no trouble that they tell of (pod-watch.ts): the last warnings about it and
 * its first pods, in one line. Never fails: it is asked while another failure is being told.
 */
export async function diagnose(client: KubeClient, workload: KubeObject): Promise<string> {
  const name = `${describe(workload)} in ${client.cluster}`;
  try {
    const live = await client.get(workload);
    if (live === undefined) return name;
    const pods = (await newestPods(client, live)).slice(0, podsShown);
    const parts = [...(await eventsOf(client, live))];
    for (const pod of pods) parts.push([describe(pod), ...(await eventsOf(client, pod))].join(', '));
    return [name, ...parts].join('; ');
  } catch (error) {
    return `${name} (its pods cannot be listed: ${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Why a Service has no load balancer, as far as its events tell. Never fails, like {@link diagnose}. */
export async function diagnoseLoadBalancer(client: KubeClient, service: KubeObject): Promise<string> {
  const parts = [
    `whether anything in ${client.cluster} makes load balancers; node ports can be declared where nothing does`,
  ];
  try {
    const live = await client.get(service);
    return [...(live === undefined ? [] : await eventsOf(client, live)), ...parts].join('; ');
  } catch {
    return parts.join('; ');
  }
}

async function eventsOf(client: KubeClient, object: KubeObject): Promise<readonly string[]> {
  const events = await warningsOf(client, [object]);
  return events
    .slice(-lastEvents)
    .map(
      (event) =>
        `event ${text(event, 'reason') ?? ''}: ${oneLine(text(event, 'message') ?? '', longestMessage)}`,
    );
}
