import { ProblemsError } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { condition, count, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { earlierPods, newestPods } from '../kube/newest-pods.ts';
import { kubectlCommand } from '../kube/kubectl.ts';
import { lastLogLines } from '../kube/pod-log.ts';
import { hasEnded, troublesOfRun } from './run-pods.ts';
import { byOutlook, subjectOf, troublesOf } from '../kube/pod-trouble.ts';
import type { Trouble } from '../kube/pod-trouble.ts';
import { warningOf, withProbe } from '../kube/pod-warnings.ts';
import { oneLine } from '../../core/one-line.ts';
import { warningsOf } from '../kube/events.ts';
import { podsWanted } from '../plan/readiness.ts';

/** Times of watching pods that start, in milliseconds. */
export interface PodTimes {
  /** Between two looks. */
  readonly interval: number;
  /** How long what cannot heal has to be seen: an operator may be about to make a Secret. */
  readonly grace: number;
  /** How long a pull that fails is waited for, and all that hardly heals. */
  readonly hardly: number;
  /** How long a pod may take to start before its events are read: while it starts, probes fail as they should. */
  readonly starting: number;
  /** How old a pod is, at the first look, that an earlier run has left: what it waits for may just have been mended. */
  readonly earlier: number;
  /** How long the other workloads are watched after the first that cannot heal, so that all are told at once. */
  readonly gather: number;
}

export const podTimes: PodTimes = {
  interval: 2_000,
  grace: 10_000,
  hardly: 120_000,
  starting: 8_000,
  earlier: 30_000,
  gather: 15_000,
};

/** How many restarts of a container in a roll-out end the wait. */
const restartsThatEnd = 3;
const longestLine = 400;
const shownLogLines = 3;

/** Watches the pods of one workload's roll-out while it is awaited. */
export class PodWatch {
  readonly #client: KubeClient;
  readonly #tell: (line: string) => void;
  readonly #times: PodTimes;
  readonly #signal: AbortSignal | undefined;
  readonly #began = Date.now();
  #looked = 0;
  #told = '';
  #troubles: readonly Trouble[] = [];
  #isJob = false;
  /** Uids of the pods that an earlier run left in trouble. */
  #earlier: Set<string> | undefined;
  /** By trouble: since when it is seen, without a look between that did not see it. */
  #since = new Map<string, number>();
  /** By pod: when it was first seen. */
  readonly #pods = new Map<string, number>();
  /** By pod and container: restarts that do not count. */
  readonly #before = new Map<string, number>();

  /** @param tell - takes a line whenever the worst trouble is another than before */
  constructor(
    client: KubeClient,
    tell: (line: string) => void,
    times: PodTimes = podTimes,
    signal?: AbortSignal,
  ) {
    this.#client = client;
    this.#tell = tell;
    this.#times = times;
    this.#signal = signal;
  }

  /** What was last seen, what cannot heal first. */
  get troubles(): readonly Trouble[] {
    return this.#troubles;
  }

  /**
   * Looks at the pods, unless it did so a moment ago, and tells what is new.
   * @param live - the workload as its controller has seen it
   * @returns whether waiting any longer is of no use
   */
  async look(live: KubeObject): Promise<boolean> {
    if (Date.now() - this.#looked < this.#times.interval) return false;
    try {
      const pods = await newestPods(this.#client, live, this.#signal);
      this.#isJob = live.kind === 'Job';
      const before = await earlierPods(this.#client, live, this.#signal);
      const blocking = before.flatMap(troublesOf).map((trouble) => this.#blocking(trouble));
      const refused = [...refusals(live), ...(await this.#refusalsOfSet(live, [...pods, ...before]))];
      this.#troubles = [...refused, ...blocking, ...(await this.#troublesOf(pods))].sort(byOutlook);
      const now = Date.now();
      this.#since = new Map(
        this.#troubles.map(keyOf).map((key) => [key, this.#since.get(key) ?? now] as const),
      );
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (!(error instanceof ProblemsError)) throw error;
      // What is awaited may come all the same.
      this.#sayOnce(`its pods cannot be read: ${oneLine(error.message, longestLine)}`);
      return false;
    } finally {
      this.#looked = Date.now();
    }
    await this.#say();
    return this.#troubles.some((trouble) => this.#isOver(trouble));
  }

  async #troublesOf(pods: readonly KubeObject[]): Promise<readonly Trouble[]> {
    const found: Trouble[] = [];
    for (const pod of pods) {
      const own = this.#isJob ? troublesOfRun(pod) : troublesOf(pod);
      for (const trouble of own) found.push(await this.#withProbe(trouble));
      const first = this.#pods.get(uidOf(pod)) ?? Date.now();
      this.#pods.set(uidOf(pod), first);
      const starting = Date.now() - first < this.#times.starting;
      if (own.length > 0 || starting || hasEnded(pod) || text(condition(pod, 'Ready'), 'status') === 'True')
        continue;
      const warning = await this.#warningOf(pod);
      if (warning !== undefined) found.push(warning);
    }
    this.#earlier ??= new Set(found.filter(({ pod }) => this.#isOld(pod)).map(({ pod }) => uidOf(pod)));
    for (const pod of pods) this.#countFrom(pod);
    return found;
  }

  /** A pod of an earlier change that a StatefulSet waits for before it changes it: with its data in a volume, it may be deleted. */
  #blocking(trouble: Trouble): Trouble {
    const { namespace = 'default', name } = trouble.pod.metadata;
    const remove = kubectlCommand(this.#client, '-n', namespace, 'delete', 'pod', name);
    return {
      ...trouble,
      what: `${trouble.what}; it is of an earlier change, and nothing replaces it as long as it is not ready`,
      outlook: 'hardly',
      fix: `delete the pod, which comes back as it is declared now: \`${remove}\``,
    };
  }

  /** Pods that the controller of a StatefulSet cannot make: it says so in an event alone. */
  async #refusalsOfSet(live: KubeObject, pods: readonly KubeObject[]): Promise<readonly Trouble[]> {
    if (live.kind !== 'StatefulSet' || pods.length >= podsWanted(live)) return [];
    const events = await warningsOf(this.#client, [live], this.#signal);
    const failed = events.findLast((event) => text(event, 'reason') === 'FailedCreate');
    const seen = text(failed, 'lastTimestamp') ?? text(failed, 'eventTime') ?? '';
    // What was refused before this wait began may have been mended.
    if (failed === undefined || Date.parse(seen) < this.#began) return [];
    return [refusal(live, 'FailedCreate', text(failed, 'message') ?? '')];
  }

  async #withProbe(trouble: Trouble): Promise<Trouble> {
    try {
      return await withProbe(this.#client, trouble, this.#signal);
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (!(error instanceof ProblemsError)) throw error;
      return trouble;
    }
  }

  async #warningOf(pod: KubeObject): Promise<Trouble | undefined> {
    try {
      return await warningOf(this.#client, pod, this.#signal);
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (!(error instanceof ProblemsError)) throw error;
      const what = `is not ready, and its events cannot be read: ${oneLine(error.message, longestLine)}`;
      const fix = 'look at the pod yourself';
      return { pod, reason: 'NotReady', what, outlook: 'maybe', fix, restarts: 0 };
    }
  }

  /** Restarts that are no failure of this roll-out: those of a pod that had long been running when it was first seen. */
  #countFrom(pod: KubeObject): void {
    const looping = this.#earlier?.has(uidOf(pod)) === true;
    for (const status of statusesOf(pod)) {
      const key = `${uidOf(pod)} ${text(status, 'name') ?? ''}`;
      if (this.#before.has(key)) continue;
      const restarts = this.#isOld(pod) ? count(status, 'restartCount') : 0;
      // Left failing by an earlier run: one more try is enough, when there were two.
      this.#before.set(key, looping ? Math.max(0, restarts - restartsThatEnd + 1) : restarts);
    }
  }

  #isOver(trouble: Trouble): boolean {
    const { pod, container = '', outlook, restarts, reason, log } = trouble;
    // A Job says itself how often it is tried again.
    if (this.#isJob && log !== undefined) return false;
    const seen = Date.now() - (this.#since.get(keyOf(trouble)) ?? Date.now());
    if (restarts - (this.#before.get(`${uidOf(pod)} ${container}`) ?? 0) >= restartsThatEnd) return true;
    const left = this.#earlier?.has(uidOf(pod)) === true;
    if (outlook === 'never') {
      // A pod's image name stays as it is.
      if (reason === 'InvalidImageName') return true;
      if (left) return seen >= this.#times.hardly;
      return groupOf(reason) === 'image' || seen >= this.#times.grace;
    }
    if (outlook === 'hardly') return seen >= this.#times.hardly;
    return left && restarts >= restartsThatEnd && seen >= this.#times.hardly;
  }

  #isOld(pod: KubeObject): boolean {
    const created = Date.parse(text(pod, 'metadata', 'creationTimestamp') ?? '');
    return Date.now() - created >= this.#times.earlier;
  }

  async #say(): Promise<void> {
    const [worst] = this.#troubles;
    if (worst === undefined) return;
    const key = `${keyOf(worst)} ${worst.restarts}`;
    if (key === this.#told) return;
    this.#told = key;
    const log = await lastWords(this.#client, worst, this.#signal);
    const ends = log.slice(-shownLogLines).join(' | ');
    const line = `${subjectOf(worst)} ${worst.what}`;
    this.#tell(oneLine(ends === '' ? line : `${line}; its log ends: ${ends}`, longestLine));
  }

  #sayOnce(line: string): void {
    if (this.#told === line) return;
    this.#told = line;
    this.#tell(line);
  }
}

/** The last lines of the log of the container in trouble; none where it has not run. */
export async function lastWords(
  client: KubeClient,
  { pod, container, log }: Trouble,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  if (log === undefined || container === undefined) return [];
  return lastLogLines(client, pod, container, log, signal);
}

/** Pods that the controller cannot make at all; their absence says nothing itself. */
function refusals(live: KubeObject): readonly Trouble[] {
  const failure = condition(live, 'ReplicaFailure');
  if (text(failure, 'status') !== 'True') return [];
  return [refusal(live, text(failure, 'reason') ?? 'FailedCreate', text(failure, 'message') ?? '')];
}

function refusal(live: KubeObject, reason: string, said: string): Trouble {
  const message = oneLine(said, longestLine);
  const refused = /violates PodSecurity|denied the request/.test(message);
  return {
    ...{ pod: live, reason, restarts: 0, what: `gets no pods: ${message}` },
    outlook: refused ? 'hardly' : 'maybe',
    fix: refused ? 'declare pods that the cluster admits' : 'correct what the message reports',
  };
}

/** ErrImagePull and ImagePullBackOff take turns, and are one trouble. */
function groupOf(reason: string): string {
  return /^(ErrImage|ImagePull|Image|Registry|Signature)/.test(reason) ? 'image' : reason;
}

function keyOf({ pod, container = '', reason }: Trouble): string {
  return `${uidOf(pod)} ${container} ${groupOf(reason)}`;
}

function statusesOf(pod: KubeObject): readonly unknown[] {
  return [...list(pod, 'status', 'initContainerStatuses'), ...list(pod, 'status', 'containerStatuses')];
}

function uidOf(pod: KubeObject): string {
  return text(pod, 'metadata', 'uid') ?? pod.metadata.name;
}
