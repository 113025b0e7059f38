import { oneLine } from '../../core/one-line.ts';
import { isLasting } from './image-failure.ts';
import { condition, count, describe, field, list, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import type { LogRun } from './pod-log.ts';

/**
 * Whether waiting may help: `never` when only a change of what is declared or stored does, `hardly` for what sometimes passes
 * within a minute or two, `maybe` for anything else.
 */
export type Outlook = 'never' | 'hardly' | 'maybe';

/** Why a pod, or a container of it, does not start. */
export interface Trouble {
  /** Or the workload, when it gets no pods. */
  readonly pod: KubeObject;
  /** Undefined for the pod as a whole. */
  readonly container?: string;
  /** Kubernetes' own word, such as `ErrImagePull`. */
  readonly reason: string;
  /** What it does not do, with reason and message: `cannot pull its image: ErrImagePull: … not found`. One line. */
  readonly what: string;
  readonly outlook: Outlook;
  /** What to do about it. */
  readonly fix: string;
  /** How often the container was restarted. */
  readonly restarts: number;
  /** Which log has the container's last words, where it has run. */
  readonly log?: LogRun;
}

const longestMessage = 300;
const order: readonly Outlook[] = ['never', 'hardly', 'maybe'];

/** `container catalog of Pod shop/catalog-1`, or the pod alone; `it` for a workload that gets no pods. */
export function subjectOf({ pod, container }: Pick<Trouble, 'pod' | 'container'>): string {
  if (pod.kind !== 'Pod') return 'it';
  return container === undefined ? describe(pod) : `container ${container} of ${describe(pod)}`;
}

/** Troubles in the order in which they are told: those that cannot heal first. */
export function byOutlook(a: Trouble, b: Trouble): number {
  return order.indexOf(a.outlook) - order.indexOf(b.outlook) || b.restarts - a.restarts;
}

/**
 * What a pod's status says of why it does not start; nothing when it runs or is on its way. Init containers and sidecars
 * count like the others.
 */
export function troublesOf(pod: KubeObject): readonly Trouble[] {
  const found = [
    ...list(pod, 'status', 'initContainerStatuses').map((status) => ofContainer(pod, status, true)),
    ...list(pod, 'status', 'containerStatuses').map((status) => ofContainer(pod, status, false)),
  ].flatMap((trouble) => trouble ?? []);
  if (found.length > 0) return found.sort(byOutlook);
  return ofPod(pod);
}

/** Reason and message in one line: `Unschedulable: 0/1 nodes are available`. */
export function said(reason: string | undefined, message: string | undefined): string {
  const parts = [reason, message].map((part) => oneLine(part ?? '', longestMessage));
  return parts.filter((part) => part !== '').join(': ');
}

function ofPod(pod: KubeObject): readonly Trouble[] {
  const scheduled = condition(pod, 'PodScheduled');
  const base = { pod, outlook: 'maybe', restarts: 0 } as const;
  if (text(scheduled, 'status') === 'False') {
    const reason = text(scheduled, 'reason') ?? 'Unschedulable';
    const message = text(scheduled, 'message') ?? '';
    const what = `cannot be scheduled: ${said(reason, message)}`;
    const fix = ofVolumes.test(message)
      ? 'give the cluster a StorageClass that makes such volumes, or name one that does'
      : 'give the cluster a node with enough room on which this pod may run';
    return [{ ...base, reason, what, fix }];
  }
  if (text(pod, 'status', 'phase') !== 'Failed') return [];
  const reason = text(pod, 'status', 'reason') ?? 'Failed';
  const what = `was terminated by the cluster: ${said(reason, text(pod, 'status', 'message'))}`;
  return [{ ...base, reason, what, fix: 'correct the cause on its node' }];
}

/** What the scheduler says where the claims of a pod are what it lacks. */
const ofVolumes =
  /unbound immediate PersistentVolumeClaims|persistentvolumeclaim "|volume node affinity conflict|available persistent volumes/i;

function ofContainer(pod: KubeObject, status: unknown, init: boolean): Trouble | undefined {
  const container = text(status, 'name') ?? '';
  const restarts = count(status, 'restartCount');
  const waiting = field(status, 'state', 'waiting');
  const base = { pod, container, restarts };
  const reason = text(waiting, 'reason') ?? '';
  if (reason === 'CrashLoopBackOff') return crashed(base, status);
  if (waiting !== undefined && !onTheWay.includes(reason))
    return { ...base, ...waitingTrouble(reason, text(waiting, 'message') ?? '', text(status, 'image')) };
  const ended = field(status, 'state', 'terminated');
  if (ended !== undefined) {
    // An init container has done its work; a sidecar is ended with its pod.
    return init && count(ended, 'exitCode') === 0 ? undefined : crashed(base, status);
  }
  const up = field(status, 'state', 'running') !== undefined && isUp(status, init);
  return restarts > 0 && !up ? crashed(base, status) : undefined;
}

/** What containers wait for in a pod that starts as it should. */
const onTheWay = ['', 'ContainerCreating', 'PodInitializing'];

function isUp(status: unknown, init: boolean): boolean {
  return field(status, 'ready') === true || (init && field(status, 'started') === true);
}

type Found = Pick<Trouble, 'reason' | 'what' | 'outlook' | 'fix'>;

function waitingTrouble(reason: string, message: string, image: string | undefined): Found {
  const told = said(reason, message);
  switch (reason) {
    case 'InvalidImageName':
      return {
        reason,
        what: `has an image whose name is invalid: ${told}`,
        outlook: 'never',
        fix: "correct the image's name",
      };
    case 'ErrImageNeverPull':
      return {
        reason,
        what: `needs an image that is not on its node, and imagePullPolicy forbids a pull: ${told}`,
        outlook: 'never',
        fix: 'load the image onto the nodes, or set imagePullPolicy to IfNotPresent',
      };
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
    case 'ImageInspectError':
    case 'SignatureValidationFailed': {
      const never = isLasting(message, image);
      return {
        reason,
        what: `cannot pull its image: ${told}`,
        outlook: never ? 'never' : 'hardly',
        fix: never
          ? 'use an image that exists in the registry, and set imagePullSecrets if it is private'
          : 'make the registry reachable from the nodes, or load the image onto them',
      };
    }
    case 'CreateContainerConfigError':
      return {
        reason,
        what: `cannot be configured: ${told}`,
        outlook: /failed to sync|timed out/i.test(message) ? 'hardly' : 'never',
        fix: 'create what the message names, or correct the name',
      };
    default:
      return {
        reason,
        what: `cannot be started: ${told}`,
        outlook: startFailures.includes(reason) ? 'hardly' : 'maybe',
        fix: 'correct what the message reports',
      };
  }
}

const startFailures = [
  'CreateContainerError',
  'RunContainerError',
  'PreStartHookError',
  'PostStartHookError',
];

function crashed(base: Pick<Trouble, 'pod' | 'container' | 'restarts'>, status: unknown): Trouble {
  const now = field(status, 'state', 'terminated');
  const ended = now ?? field(status, 'lastState', 'terminated');
  const reason = text(ended, 'reason') ?? 'Error';
  const times = base.restarts === 1 ? 'once' : `${base.restarts} times`;
  const restarted = base.restarts === 0 ? '' : `, restarted ${times}`;
  const running = field(status, 'state', 'running') !== undefined;
  const found = { ...base, reason, outlook: 'maybe', log: running ? 'previous' : 'current' } as const;
  if (reason === 'OOMKilled')
    return {
      ...found,
      what: `ran out of memory${memoryLimit(base)} and was killed (OOMKilled)${restarted}`,
      fix: 'raise its memory limit, or make it use less',
    };
  if (reason === 'StartError' || reason === 'ContainerCannotRun')
    return {
      ...found,
      what: `cannot be started: ${said(reason, text(ended, 'message'))}${restarted}`,
      fix: 'correct its command, or the image it is in',
    };
  const code = ended === undefined ? 'ended' : `ended with exit code ${count(ended, 'exitCode')}`;
  const why = ['Error', 'Completed'].includes(reason) ? '' : ` (${oneLine(reason, 60)})`;
  return {
    ...found,
    what: `${code}${why}${restarted}`,
    fix: 'correct the error in its log',
  };
}

function memoryLimit({ pod, container }: Pick<Trouble, 'pod' | 'container'>): string {
  const all = [...list(pod, 'spec', 'initContainers'), ...list(pod, 'spec', 'containers')];
  const spec = all.find((one) => text(one, 'name') === container);
  const limit = text(spec, 'resources', 'limits', 'memory');
  return limit === undefined ? '' : ` at its limit of ${limit}`;
}
