import type { InCluster } from '../../../apps/config/pod/pod.ts';
import { isMapping } from '../../../apps/config/mapping.ts';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import { saidIn } from '../scope/keys-in.ts';
import type { WorkloadTracing } from '../scope/tracing.ts';
import type { PodsProps } from '../workload/pods/pods.ts';
import type { ContainerProps } from '../workload/service-props.ts';
import { parseSchedule, timeZoneProblem } from './schedule.ts';

/** What is said of pods that end by themselves, once or by a schedule. */
export interface RunProps<C extends string>
  extends
    Pick<ContainerProps, 'image' | 'imagePullSecrets' | 'env' | 'resources' | 'command' | 'args' | 'user'>,
    Pick<PodsProps<C>, 'pod'> {
  /** What differs in single clusters; what is left out is as everywhere. @default - nothing */
  readonly clusters?: Readonly<Partial<Record<C, Omit<InCluster, 'replicas'>>>>;
  /**
   * Clusters it runs in, once in each: two clusters migrate a database twice.
   * @default - the only cluster; where the mesh has several, it has to be said
   */
  readonly placement?: readonly NoInfer<C>[];
  /** Its share of traces. @default - the mesh's */
  readonly tracing?: WorkloadTracing;
  /** How often it is tried again after a pod failed, at first after 10 s, and each time after twice as long. @default 3 */
  readonly backoffLimit?: number;
  /** How long all its tries may take, in seconds; then it has failed, and its pods are ended. @default 600 */
  readonly activeDeadlineSeconds?: number;
  /** How many pods have to succeed. @default 1 */
  readonly completions?: number;
  /** How many pods run at a time. @default 1 */
  readonly parallelism?: number;
  /**
   * Whether a try that failed is followed by another pod (`Never`), so that its log stays, or by another start of its container
   * (`OnFailure`). @default Never
   */
  readonly restartPolicy?: 'Never' | 'OnFailure';
}

/** Properties of a {@link Job}. */
export type JobProps<C extends string> = RunProps<C>;

/** Properties of a {@link CronJob}. */
export interface CronJobProps<C extends string> extends RunProps<C> {
  /**
   * When it begins runs: minute, hour, day of the month, month and day of the week, as `30 2 * * mon-fri`, or `@hourly`, `@daily`, `@weekly`,
   * `@monthly`, `@yearly` (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax).
   */
  readonly schedule: string;
  /** The time zone of the schedule, by its name in the IANA database. @default Etc/UTC */
  readonly timeZone?: string;
  /** What happens when a run is due while one before still goes on: it is left out, goes on beside, or replaces it. @default Forbid */
  readonly concurrencyPolicy?: 'Forbid' | 'Allow' | 'Replace';
  /** How late a run may begin, in seconds, 10 or more; later it is left out. @default - however late */
  readonly startingDeadlineSeconds?: number;
  /** How many of its runs that succeeded are kept. @default 3 */
  readonly successfulJobsHistoryLimit?: number;
  /** How many of its runs that failed are kept, with their logs. @default 1 */
  readonly failedJobsHistoryLimit?: number;
  /** After how many seconds a run that has ended is removed, within these limits. @default - by them alone */
  readonly ttlSecondsAfterFinished?: number;
  /** Whether no more runs begin by the schedule. @default false */
  readonly suspend?: boolean;
}

const runKeys = {
  image: true,
  imagePullSecrets: true,
  env: true,
  resources: true,
  command: true,
  args: true,
  user: true,
  pod: true,
  clusters: true,
  placement: true,
  tracing: true,
  backoffLimit: true,
  activeDeadlineSeconds: true,
  completions: true,
  parallelism: true,
  restartPolicy: true,
} as const;
const jobKeys = keysOf<JobProps<string>>(runKeys);
const cronKeys = keysOf<CronJobProps<string>>({
  ...runKeys,
  schedule: true,
  timeZone: true,
  concurrencyPolicy: true,
  startingDeadlineSeconds: true,
  successfulJobsHistoryLimit: true,
  failedJobsHistoryLimit: true,
  ttlSecondsAfterFinished: true,
  suspend: true,
});

type Given = Readonly<Record<string, unknown>>;

/** What properties say that were found right: null, which plain JavaScript may pass, says as little as nothing. */
export function soundProps<P extends RunProps<string>>(props: P): P {
  return saidIn(props) as unknown as P;
}

/** A year, in seconds. */
const year = 366 * 24 * 3600;
const ofRuns: Readonly<Record<string, readonly [least: number, most: number]>> = {
  backoffLimit: [0, 1000],
  activeDeadlineSeconds: [1, year],
  completions: [1, 10_000],
  parallelism: [1, 10_000],
};
const ofSchedules: typeof ofRuns = {
  // The controller looks every 10 s: with less, it may begin none.
  startingDeadlineSeconds: [10, year],
  successfulJobsHistoryLimit: [0, 1000],
  failedJobsHistoryLimit: [0, 1000],
  ttlSecondsAfterFinished: [0, year],
};

/**
 * What is wrong with what is said of runs.
 * @param clusters - those of the mesh
 */
function runProblems(where: string, given: Given, clusters: readonly string[]): readonly Problem[] {
  const { placement, parallelism, completions = 1 } = given;
  const wrong = [
    ...numberProblems(where, given, ofRuns),
    ...choiceProblems(where, given, 'restartPolicy', ['Never', 'OnFailure']),
  ];
  if (placement === undefined && clusters.length > 1) {
    wrong.push({
      where: `${where}: placement`,
      what: 'missing, and the mesh has several clusters: it runs once in each that is named',
      allowed: clusters.join(', '),
      fix: `name one, such as placement: ['${clusters[0] ?? ''}']`,
    });
  }
  if (typeof parallelism === 'number' && typeof completions === 'number' && parallelism > completions) {
    const what = 'is more than completions, so that pods would be for nothing';
    const allowed = `1 to ${completions}`;
    wrong.push({
      where: `${where}: parallelism`,
      what,
      received: parallelism,
      allowed,
      fix: 'raise completions',
    });
  }
  return wrong;
}

/** What is wrong with the properties of a Job, beside its container and its pods. */
export function jobProblems(where: string, props: unknown, clusters: readonly string[]): readonly Problem[] {
  const given = saidIn(props);
  const received = given['ttlSecondsAfterFinished'];
  return [
    ...unknownKeys(where, isMapping(props) ? withoutTtl(props) : props, jobKeys),
    ...(received === undefined
      ? []
      : [
          {
            where: `${where}: ttlSecondsAfterFinished`,
            what: 'would remove the Job, by which is known that it has run: the next up would run it again',
            received,
            fix: 'remove it; another version of the Job replaces this one',
          },
        ]),
    ...runProblems(where, given, clusters),
  ];
}

function withoutTtl(props: Given): Given {
  return Object.fromEntries(Object.entries(props).filter(([key]) => key !== 'ttlSecondsAfterFinished'));
}

/** What is wrong with the properties of a CronJob, beside its container and its pods. */
export function cronJobProblems(
  where: string,
  props: unknown,
  clusters: readonly string[],
): readonly Problem[] {
  const given = saidIn(props);
  const { schedule, timeZone, suspend } = given;
  const at = (key: string, wrong: Omit<Problem, 'where'>) => ({ where: `${where}: ${key}`, ...wrong });
  const read = schedule === undefined ? undefined : parseSchedule(schedule);
  const zone = timeZone === undefined ? undefined : timeZoneProblem(timeZone);
  return [
    ...unknownKeys(where, props, cronKeys),
    ...(read === undefined
      ? [at('schedule', { what: 'missing', allowed: 'when it begins runs, such as "30 2 * * *"' })]
      : 'what' in read
        ? [at('schedule', read)]
        : []),
    ...(zone === undefined ? [] : [at('timeZone', zone)]),
    ...choiceProblems(where, given, 'concurrencyPolicy', ['Forbid', 'Allow', 'Replace']),
    ...(suspend === undefined || typeof suspend === 'boolean'
      ? []
      : [at('suspend', { what: 'is not a boolean', received: suspend, allowed: 'true or false' })]),
    ...numberProblems(where, given, ofSchedules),
    ...runProblems(where, given, clusters),
  ];
}

function numberProblems(where: string, given: Given, ranges: typeof ofRuns): Problem[] {
  return Object.entries(ranges).flatMap(([key, [least, most]]) => {
    const received = given[key];
    const isFit =
      typeof received === 'number' && Number.isInteger(received) && received >= least && received <= most;
    if (received === undefined || isFit) return [];
    const allowed = `a whole number from ${least} to ${most}`;
    return [{ where: `${where}: ${key}`, what: 'wrong value', received, allowed }];
  });
}

function choiceProblems(where: string, given: Given, key: string, choices: readonly string[]): Problem[] {
  const received = given[key];
  if (received === undefined || choices.some((choice) => choice === received)) return [];
  return [{ where: `${where}: ${key}`, what: 'wrong value', received, allowed: choices.join(', ') }];
}
