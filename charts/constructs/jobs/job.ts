import { k8s } from 'cdk8s-plus-28';
import type { Problem } from '../../../core/problem.ts';
import { awaitedAnnotation } from '../../model/labels.ts';
import type { Metadata, Projection } from '../scope/projection.ts';
import { notSecretAnnotations } from '../workload/deployment.ts';
import { jobProblems, soundProps } from './job-props.ts';
import { runSpec } from './job-spec.ts';
import { Run } from './run.ts';

export type { JobProps, RunProps } from './job-props.ts';

/**
 * A program that calls services of the mesh by an identity of its own and ends: a migration, an import. `up` runs it once in each cluster of its
 * placement, after all services are there, and waits for it; when it fails, so does `up`.
 *
 * Its Kubernetes Job has a hash of all that it is in its name: a changed one is another Job, which runs, and the former is removed. So the diff
 * of dist/ shows that it will run again. One that has run stays, as its record.
 */
export class Job<C extends string> extends Run<C> {
  readonly kind = 'Job';
  #objectName: string | undefined;

  /** Name of its Kubernetes Job: `migrate-1a2b3c4d`. */
  override get objectName(): string {
    this.#objectName ??= `${this.name}-${this.hashOf((object) => object['spec'])}`;
    return this.#objectName;
  }

  override problems(): readonly Problem[] {
    const clusters = this.mesh.clusters.map((cluster) => cluster.name);
    return [...super.problems(), ...jobProblems(this.where, this.props, clusters)];
  }

  protected override addObject(into: Projection, metadata: Metadata): void {
    const { rework, ...pods } = this.inCluster(into.cluster.name);
    const { annotations } = notSecretAnnotations(pods.config);
    const noted = { ...metadata, annotations: { ...annotations, [awaitedAnnotation]: 'complete' } };
    into.add(
      '70-jobs',
      k8s.KubeJob,
      noted,
      { spec: runSpec(into, soundProps(this.props), pods) },
      [],
      rework,
    );
  }
}
