import { Yaml } from 'cdk8s';
import { formatProblem, throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { MeshConstruct } from './constructs/mesh-construct.ts';
import type { Cluster, Mesh } from './constructs/mesh.ts';
import { Projection } from './constructs/projection.ts';
import type { KubernetesObject } from './model.ts';
import { stages } from './stage.ts';
import type { StageName } from './stage.ts';

export type { StageName } from './stage.ts';

/** One file of dist/. */
export interface RenderedStage {
  readonly cluster: string;
  readonly stage: StageName;
  /** Within dist/: `<cluster>/<stage>.k8s.yaml`. */
  readonly path: string;
  readonly yaml: string;
  /** What the YAML says. */
  readonly objects: readonly KubernetesObject[];
}

/**
 * Renders a mesh: for each cluster its stages in order, without those that hold nothing. The same mesh gives the same
 * bytes each time; objects are ordered by namespace, name and kind, keys alphabetically.
 * @throws ProblemsError with every problem of the declaration
 */
export function synthesize(mesh: Mesh<string>): readonly RenderedStage[] {
  const parts = mesh.node.findAll().filter((part) => part instanceof MeshConstruct);
  throwIfAny(distinct([...mesh.problems(), ...parts.flatMap((part) => part.problems())]));
  const projections = mesh.clusters.map((cluster) => project(mesh, parts, cluster));
  throwIfAny(distinct(projections.flatMap(({ problems }) => problems)));
  return projections.flatMap(renderStages);
}

function project(mesh: Mesh<string>, parts: readonly MeshConstruct[], cluster: Cluster): Projection {
  const projection = new Projection(mesh.name, cluster);
  for (const part of parts) part.project(projection);
  return projection;
}

function renderStages(projection: Projection): RenderedStage[] {
  const cluster = projection.cluster.name;
  return stages.flatMap((stage) => {
    const objects = projection.objects(stage);
    if (objects.length === 0) return [];
    const path = `${cluster}/${stage}.k8s.yaml`;
    return [{ cluster, stage, path, yaml: Yaml.stringify(...objects), objects }];
  });
}

/** What two services share, such as the HTTP gateway's config.yml, is reported once. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [formatProblem(problem), problem])).values()];
}
