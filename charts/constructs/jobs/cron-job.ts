import { k8s } from 'cdk8s-plus-28';
import type { Problem } from '../../../core/problem.ts';
import type { RunModel } from '../../model/mesh-model.ts';
import type { Namespace } from '../scope/mesh-construct.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import { notSecretAnnotations } from '../workload/deployment.ts';
import { cronJobProblems, soundProps, type CronJobProps } from './job-props.ts';
import { runSpec } from './job-spec.ts';
import { Run } from './run.ts';

export type { CronJobProps } from './job-props.ts';

/**
 * A program that calls services of the mesh by an identity of its own and ends, begun by a schedule in each cluster of its placement. `up` does not
 * wait for its runs; `status` tells how the last ones ended.
 */
export class CronJob<C extends string> extends Run<C> {
  readonly kind = 'CronJob';
  readonly #props: CronJobProps<C>;

  constructor(scope: Namespace<C>, name: string, props: CronJobProps<C>) {
    super(scope, name, props);
    this.#props = props;
  }

  /** Name of its Kubernetes CronJob. */
  override get objectName(): string {
    return this.name;
  }

  override get model(): RunModel {
    return { ...super.model, ...(this.#props.suspend === true && { suspended: true as const }) };
  }

  override problems(): readonly Problem[] {
    const clusters = this.mesh.clusters.map((cluster) => cluster.name);
    return [...super.problems(), ...cronJobProblems(this.where, this.#props, clusters)];
  }

  protected override addObject(into: Projection, metadata: Metadata): void {
    const { rework, ...pods } = this.inCluster(into.cluster.name);
    const props = soundProps(this.#props);
    const { timeZone = 'Etc/UTC', concurrencyPolicy = 'Forbid', suspend = false } = props;
    const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1, startingDeadlineSeconds } = props;
    const { ttlSecondsAfterFinished } = props;
    const spec: k8s.CronJobSpec = {
      // Kubernetes takes no space around a schedule that has a name.
      ...{ schedule: props.schedule.trim(), timeZone, concurrencyPolicy, suspend },
      ...{ successfulJobsHistoryLimit, failedJobsHistoryLimit },
      ...(startingDeadlineSeconds === undefined ? {} : { startingDeadlineSeconds }),
      jobTemplate: {
        spec: {
          ...runSpec(into, props, pods),
          ...(ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }),
        },
      },
    };
    const noted = { ...metadata, ...notSecretAnnotations(pods.config) };
    into.add('70-jobs', k8s.KubeCronJob, noted, { spec }, [], rework);
  }
}
