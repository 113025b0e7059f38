import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { count, describe, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { kubectlCommand } from '../kube/kubectl.ts';
import { newestPods } from '../kube/newest-pods.ts';
import { said, subjectOf } from '../kube/pod-trouble.ts';
import type { Trouble } from '../kube/pod-trouble.ts';
import { hasEnded, troublesOfRun } from './run-pods.ts';
import { jobFailure, lookAt } from '../plan/readiness.ts';
import type { Readiness } from '../plan/readiness.ts';
import { diagnose } from './diagnose.ts';
import { podProblem } from './pod-problem.ts';
import { lastWords, PodWatch, podTimes } from './pod-watch.ts';
import { waitReporting } from './wait-reporting.ts';
import type { AwaitOptions } from './wait-reporting.ts';

/** Before a Job's deadline, after which its pods are gone with their logs, in milliseconds. */
const beforeDeadline = 4_000;

/** Waits until a Job is complete, or has failed, and watches its pods meanwhile. */
export class JobWait {
  /** Whether it ended because its pods cannot heal, or the Job failed for good. */
  cannotHeal = false;
  readonly #client: KubeClient;
  readonly #readiness: Readiness;
  readonly #options: AwaitOptions;
  readonly #signal: AbortSignal;
  readonly #watch: PodWatch;
  /** What the pods that its deadline ends said last. */
  #words: readonly string[] = [];

  constructor(client: KubeClient, readiness: Readiness, options: AwaitOptions, signal: AbortSignal) {
    this.#client = client;
    this.#readiness = readiness;
    this.#options = options;
    this.#signal = signal;
    const tell = (line: string) => {
      options.report(`${client.cluster}: ${describe(readiness.object)}: ${line}`);
    };
    this.#watch = new PodWatch(client, tell, options.pods ?? podTimes, signal);
  }

  async done(): Promise<void> {
    const { object } = this.#readiness;
    const whereToLook = async () => {
      await this.throwTroubles();
      return diagnose(this.#client, object);
    };
    let live: KubeObject | undefined;
    let looks = 0;
    await waitReporting(
      this.#client,
      this.#readiness,
      this.#options,
      { signal: this.#signal, whereToLook },
      async () => {
        live = await this.#client.get(object, this.#signal);
        looks++;
        if (live !== undefined && jobFailure(live) !== undefined) {
          this.cannotHeal = true;
          throw new ProblemsError([await this.#failed(live, looks === 1)], 1);
        }
        return lookAt('ended', live);
      },
      async () => {
        if (live === undefined) return;
        if (msToDeadline(live) < beforeDeadline) await this.#noteWords(live);
        if (!(await this.#watch.look(live))) return;
        this.cannotHeal = true;
        await this.throwTroubles();
      },
    );
  }

  /** @throws ProblemsError when the pods were in trouble when they were last looked at. */
  async throwTroubles(): Promise<void> {
    const { troubles } = this.#watch;
    if (troubles.length === 0) return;
    const { signal } = this.#options;
    throw new ProblemsError([await podProblem(this.#client, this.#readiness.object, troubles, signal)], 1);
  }

  /** What is told of a Job that failed for good, by this run of the command or by an earlier one. */
  async #failed(live: KubeObject, isEarlier: boolean): Promise<Problem> {
    const { reason = '', message = '', since } = jobFailure(live) ?? {};
    const worst = await this.#worst(live);
    const log = worst === undefined ? this.#words : await lastWords(this.#client, worst, this.#signal);
    const when = isEarlier
      ? `failed before this run, at ${since ?? 'a time that it does not tell'}`
      : 'failed';
    const pod = worst === undefined ? '' : `; ${subjectOf(worst)} ${worst.what}`;
    const { namespace = 'default', name } = live.metadata;
    const again = kubectlCommand(this.#client, '-n', namespace, 'delete', 'job', name);
    const first =
      reason === 'DeadlineExceeded'
        ? 'make it end within its activeDeadlineSeconds, or raise them'
        : (worst?.fix ?? 'correct the cause');
    return {
      where: `${this.#client.cluster}: ${describe(live)}`,
      what: `${when}: ${said(reason, message)}${pod}`,
      fix: `${first}, then run the command again: a changed Job is another one, which runs; to run this one as it is once more, delete it before: \`${again}\``,
      ...(log.length > 0 && {
        lines: [
          worst === undefined ? 'the log of its last pod ended:' : `the log of ${subjectOf(worst)} ends:`,
          ...log.map((line) => `  ${line}`),
        ],
      }),
    };
  }

  /** The trouble of the pod that was made last, of those that tell one. */
  async #worst(live: KubeObject): Promise<Trouble | undefined> {
    const pods = await this.#podsOf(live);
    return pods.flatMap((pod) => troublesOfRun(pod).slice(0, 1)).at(-1);
  }

  async #noteWords(live: KubeObject): Promise<void> {
    const running = (await this.#podsOf(live)).filter((pod) => !hasEnded(pod)).at(-1);
    if (running === undefined) return;
    const container = text(running, 'metadata', 'labels', 'app.kubernetes.io/name') ?? '';
    const words = { pod: running, container, log: 'current', restarts: 0 } as const;
    this.#words = await lastWords(
      this.#client,
      { ...words, reason: '', what: '', fix: '', outlook: 'maybe' },
      this.#signal,
    );
  }

  /** Its pods, in the order they were made. */
  async #podsOf(live: KubeObject): Promise<readonly KubeObject[]> {
    const made = (pod: KubeObject) => Date.parse(text(pod, 'metadata', 'creationTimestamp') ?? '');
    const pods = await newestPods(this.#client, live, this.#signal);
    return [...pods].sort((a, b) => made(a) - made(b));
  }
}

/** How long a Job still has, in milliseconds. */
function msToDeadline(live: KubeObject): number {
  const started = Date.parse(text(live, 'status', 'startTime') ?? '');
  const seconds = count(live, 'spec', 'activeDeadlineSeconds');
  return Number.isNaN(started) || seconds === 0 ? Infinity : started + seconds * 1000 - Date.now();
}
