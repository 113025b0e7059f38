import { formatProblem, throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { toYaml } from '../core/yaml.ts';
import { isOfLibrary } from './constructs/library.ts';
import { othersIn } from './constructs/existing-others.ts';
import { MeshConstruct } from './constructs/scope/mesh-construct.ts';
import type { Mesh } from './constructs/mesh.ts';
import type { Cluster } from './constructs/scope/cluster.ts';
import { othersIstio, othersOf, preparePods } from './constructs/existing-model.ts';
import { Projection } from './constructs/scope/projection.ts';
import { gates } from './gates/gates.ts';
import { holesHead, markedNames, openHoles, strayProblems } from './holes.ts';
import { renderedCluster } from './model/rendered.ts';
import type { OthersInCluster, RenderedObject } from './model/rendered.ts';
import type { KubernetesObject } from './model/mesh-model.ts';
import { rolled } from './rolled.ts';
import { reviewedMesh, unreviewedProblems } from './reviewed.ts';
import { stages } from './model/stage.ts';
import type { StageName } from './model/stage.ts';

export type { StageName } from './model/stage.ts';

/** One file of dist/. */
export interface RenderedStage {
  readonly cluster: string;
  readonly stage: StageName;
  /** Within its environment's folder of dist/: `<cluster>/<stage>.k8s.yaml`. */
  readonly path: string;
  readonly yaml: string;
  /** The objects in the YAML. */
  readonly objects: readonly KubernetesObject[];
}

/**
 * Renders a mesh: for each cluster its stages in order, without empty ones. The same mesh renders to the same bytes each
 * time; objects are ordered by namespace, name and kind, keys alphabetically.
 * @throws ProblemsError with every problem of the declaration; or, when it has none, with every problem that the gates
 * (gates/) find in the rendered objects; or else, with every marker of a hole that nothing would fill; or, of a mesh whose holes are
 * filled, with objects that it has and dist/ has not, or the other way round
 */
export function synthesize(mesh: Mesh<string>): readonly RenderedStage[] {
  const parts = mesh.node.findAll().filter((part) => part instanceof MeshConstruct);
  throwIfAny(distinct([...mesh.problems(), ...parts.flatMap((part) => part.problems())]));
  const projections = mesh.clusters.map((cluster) => project(mesh, parts, cluster));
  throwIfAny(distinct(projections.flatMap(({ problems }) => problems)));
  const rendered = projections.map((projection) => ({
    cluster: projection.cluster,
    objects: inStages(projection),
  }));
  const clusters = rendered.map(({ cluster, objects }) =>
    renderedCluster(
      cluster,
      [...objects.values()].flat(),
      ofBoth(othersOf(mesh), othersIn(parts, cluster.name)),
    ),
  );
  const istio = othersIstio(mesh);
  throwIfAny(distinct(gates.flatMap((gate) => gate({ clusters, ...istio }))));
  const write = yamlWriter();
  const files = withHoles(
    mesh,
    rendered.flatMap(({ cluster, objects }) => renderStages(cluster.name, objects, write)),
  );
  const reviewed = reviewedMesh(mesh);
  if (reviewed !== undefined)
    throwIfAny(unreviewedProblems(openHoles(mesh).environment, synthesize(reviewed), files));
  return files;
}

/** Names the open holes of each file at its head. */
function withHoles(mesh: Mesh<string>, rendered: readonly RenderedStage[]): readonly RenderedStage[] {
  const { environment, names } = openHoles(mesh);
  const marked = rendered.map((stage) => ({ stage, holes: markedNames(stage.yaml) }));
  throwIfAny(
    marked.flatMap(({ stage, holes }) =>
      strayProblems(
        stage.path,
        holes.filter((name) => !names.includes(name)),
      ),
    ),
  );
  return marked.map(({ stage, holes }) =>
    holes.length === 0 ? stage : { ...stage, yaml: `${holesHead(environment, holes)}${stage.yaml}` },
  );
}

/** What a cluster gets, with pods that are made anew when a ConfigMap of theirs changes. */
function inStages(projection: Projection): Stages {
  const found = stages.map((stage) => [stage, projection.objects(stage)] as const);
  const all = rolled(found.flatMap(([, objects]) => objects));
  let from = 0;
  return new Map(
    found.map(([stage, { length }]) => {
      from += length;
      return [stage, all.slice(from - length, from)];
    }),
  );
}

type Stages = ReadonlyMap<StageName, readonly RenderedObject[]>;

function project(mesh: Mesh<string>, parts: readonly MeshConstruct[], cluster: Cluster): Projection {
  const projection = new Projection(mesh.name, cluster, preparePods(mesh));
  for (const part of parts) {
    projection.where = part.where;
    projection.own = !isOfLibrary(part);
    part.project(projection);
  }
  return projection;
}

function ofBoth(one: OthersInCluster, other: OthersInCluster): OthersInCluster {
  return {
    hosts: new Map([...one.hosts, ...other.hosts]),
    accounts: [...one.accounts, ...other.accounts],
    namespaces: [...one.namespaces, ...other.namespaces],
  };
}

function renderStages(cluster: string, rendered: Stages, write: (object: object) => string): RenderedStage[] {
  return [...rendered].flatMap(([stage, found]) => {
    if (found.length === 0) return [];
    const objects = found.map(({ object }) => object);
    const yaml = objects.map(write).join('---\n');
    return [{ cluster, stage, path: `${cluster}/${stage}.k8s.yaml`, yaml, objects }];
  });
}

/** Serializes objects that are equal in several clusters, which is most of a mesh, only once: YAML takes half of a synth's time. */
function yamlWriter(): (object: object) => string {
  const written = new Map<string, string>();
  return (object) => {
    const key = JSON.stringify(object);
    const yaml = written.get(key) ?? toYaml(object);
    written.set(key, yaml);
    return yaml;
  };
}

/** Reports a problem of something that two services share, such as the HTTP gateway's config.yml, once. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [formatProblem(problem), problem])).values()];
}
