import { awaitedAnnotation } from '../../charts/model/labels.ts';
import { condition, count, describe, field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Look } from '../../core/wait.ts';

/** A condition for the end of a stage: a state that one object has to reach. */
export interface Readiness {
  readonly kind: ReadinessKind;
  readonly object: KubeObject;
}

export type ReadinessKind = keyof typeof states;

/** The awaited state of each kind of object, as shown to the user. */
const states = {
  active: 'active',
  established: 'established',
  available: 'available',
  scheduled: 'ready on every node',
  complete: 'with all pods ready',
  address: 'given an address',
  answering: 'answering',
  ended: 'complete',
} as const;

/** Those of objects that have pods. */
type WorkloadKind = Extract<ReadinessKind, 'available' | 'scheduled' | 'complete'>;

/** Whether pods are awaited, which tell why they do not start. */
export function isWorkload(kind: ReadinessKind): kind is WorkloadKind {
  return kind === 'available' || kind === 'scheduled' || kind === 'complete';
}

/** The conditions that these objects have to meet before their stage ends. */
export function readinessOf(objects: readonly KubeObject[]): readonly Readiness[] {
  return objects.flatMap((object): Readiness[] => {
    const kind = kindOf(object);
    return kind === undefined ? [] : [{ kind, object }];
  });
}

function kindOf(object: KubeObject): ReadinessKind | undefined {
  switch (object.kind) {
    case 'Namespace':
      return 'active';
    case 'CustomResourceDefinition':
      return 'established';
    case 'Deployment':
      return 'available';
    case 'DaemonSet':
      return 'scheduled';
    case 'StatefulSet':
      return 'complete';
    case 'Service':
      return text(object, 'spec', 'type') === 'LoadBalancer' ? 'address' : undefined;
    case 'Job':
      return object.metadata.annotations?.[awaitedAnnotation] === 'complete' ? 'ended' : undefined;
    case 'ValidatingWebhookConfiguration':
    case 'MutatingWebhookConfiguration':
      return 'answering';
    default:
      return undefined;
  }
}

/** `Deployment istio-system/istiod available`. */
export function describeReadiness({ kind, object }: Readiness): string {
  return `${describe(object)} ${states[kind]}`;
}

/**
 * Whether a live object has reached the state. The object of a webhook does not show its state: webhooks.ts calls the
 * webhook instead.
 */
export function lookAt(kind: Exclude<ReadinessKind, 'answering'>, live: KubeObject | undefined): Look<true> {
  if (live === undefined) return notYet('it does not exist');
  switch (kind) {
    case 'active': {
      const phase = text(live, 'status', 'phase') ?? 'not reported yet';
      return phase === 'Active' ? reached : notYet(`its phase is ${phase}`);
    }
    case 'established': {
      const established = text(condition(live, 'Established'), 'status') === 'True';
      return established ? reached : notYet('the API server does not serve it yet');
    }
    case 'available':
      return lookAtDeployment(live);
    case 'scheduled':
      return lookAtDaemonSet(live);
    case 'complete':
      return lookAtStatefulSet(live);
    case 'ended':
      return lookAtJob(live);
    case 'address':
      return loadBalancerAddresses(live).length === 0
        ? notYet('its status names no load balancer address')
        : reached;
  }
}

/** The addresses of a LoadBalancer Service: the IP of each entry, or else its host name, as istiod reads them. */
export function loadBalancerAddresses(service: KubeObject): readonly string[] {
  return list(service, 'status', 'loadBalancer', 'ingress').flatMap(
    (entry) => text(entry, 'ip') ?? text(entry, 'hostname') ?? [],
  );
}

const reached = { done: true, value: true } as const;

function notYet(because: string): Look<true> {
  return { done: false, because };
}

/** A rollout is complete when the controller has observed this generation and only its replicas exist and are available. */
function lookAtDeployment(live: KubeObject): Look<true> {
  const wanted = podsWanted(live);
  const updated = count(live, 'status', 'updatedReplicas');
  const available = count(live, 'status', 'availableReplicas');
  if (!isObserved(live)) return notYet('its controller has not seen the change yet');
  const progressing = condition(live, 'Progressing');
  const stuck = text(progressing, 'status') === 'False' ? `, and ${stuckBecause(progressing)}` : '';
  if (updated < wanted) return notYet(`${updated} of ${wanted} replicas updated${stuck}`);
  if (count(live, 'status', 'replicas') > updated)
    return notYet(`replicas of the previous version still run${stuck}`);
  return available < wanted ? notYet(`${available} of ${wanted} replicas available${stuck}`) : reached;
}

/** `no progress is made any more (ProgressDeadlineExceeded)` */
function stuckBecause(progressing: unknown): string {
  return `it no longer makes progress (${text(progressing, 'reason') ?? 'no reason given'})`;
}

/** A Job that failed is not complete either: {@link jobFailure} tells them apart. */
function lookAtJob(live: KubeObject): Look<true> {
  if (text(condition(live, 'Complete'), 'status') === 'True') return reached;
  const failed = jobFailure(live);
  if (failed !== undefined) return notYet(`it failed (${failed.reason})`);
  const [active, succeeded] = [count(live, 'status', 'active'), count(live, 'status', 'succeeded')];
  const tried = count(live, 'status', 'failed');
  const wanted = field(live, 'spec', 'completions') === undefined ? 1 : count(live, 'spec', 'completions');
  const pods = active === 0 ? 'no pod of it runs' : `${active} ${active === 1 ? 'pod runs' : 'pods run'}`;
  return notYet(`${succeeded} of ${wanted} done, ${pods}${tried === 0 ? '' : `, ${tried} failed`}`);
}

/**
 * Why and when a Job failed for good, be it that its last pods have not ended yet
 * (https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions).
 */
export function jobFailure(
  job: KubeObject,
): { readonly reason: string; readonly message: string; readonly since: string | undefined } | undefined {
  const failed = ['Failed', 'FailureTarget']
    .map((type) => condition(job, type))
    .find((found) => text(found, 'status') === 'True');
  if (failed === undefined) return undefined;
  const since = text(failed, 'lastTransitionTime');
  return { reason: text(failed, 'reason') ?? 'Failed', message: text(failed, 'message') ?? '', since };
}

function lookAtDaemonSet(live: KubeObject): Look<true> {
  const wanted = count(live, 'status', 'desiredNumberScheduled');
  const updated = count(live, 'status', 'updatedNumberScheduled');
  const ready = count(live, 'status', 'numberReady');
  if (!isObserved(live)) return notYet('its controller has not seen the change yet');
  if (wanted === 0) return notYet('no node runs it yet');
  if (updated < wanted) return notYet(`updated on ${updated} of ${wanted} nodes`);
  return ready < wanted ? notYet(`ready on ${ready} of ${wanted} nodes`) : reached;
}

/**
 * As `kubectl rollout status` looks at one. Pods below a partition stay of the earlier change, and with OnDelete all do, until somebody
 * deletes them.
 */
function lookAtStatefulSet(live: KubeObject): Look<true> {
  const wanted = podsWanted(live);
  const strategy = text(live, 'spec', 'updateStrategy', 'type');
  const partition = count(live, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  const changing = strategy === 'OnDelete' ? 0 : Math.max(0, wanted - partition);
  const updated = count(live, 'status', 'updatedReplicas');
  const available = count(live, 'status', 'availableReplicas');
  if (!isObserved(live)) return notYet('its controller has not seen the change yet');
  if (updated < changing) return notYet(`${updated} of ${changing} replicas updated`);
  if (count(live, 'status', 'replicas') > wanted) return notYet('pods that are no longer wanted still run');
  return available < wanted ? notYet(`${available} of ${wanted} replicas available`) : reached;
}

/** Pods that a Deployment or StatefulSet is to have. */
export function podsWanted(live: KubeObject): number {
  return field(live, 'spec', 'replicas') === undefined ? 1 : count(live, 'spec', 'replicas');
}

/** Whether a workload's controller has seen its last change: until then its status is of an earlier one. Of a Job nothing changes. */
export function isObserved(live: KubeObject): boolean {
  if (live.kind === 'Job') return true;
  return count(live, 'status', 'observedGeneration') >= count(live, 'metadata', 'generation');
}
