import type { EdgeModel, MeshModel, ReadModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import type { Read } from './http.ts';

/** A read that an edge of the mesh takes, and the workload that answers it. */
export interface EdgeRead {
  readonly edge: WorkloadModel;
  readonly callee: WorkloadModel;
  readonly read: Read;
}

/** What calls others: a workload or a job. */
export type CallerModel = Pick<
  WorkloadModel,
  'name' | 'namespace' | 'app' | 'calls' | 'connects' | 'requests' | 'proxyAnnotations' | 'answersFrom'
>;

/** All that call others. Calls are made in the name of a job where it is placed, whether it runs or not. */
export function callersOf({ workloads, runs = [] }: MeshModel): readonly CallerModel[] {
  return [...workloads, ...runs.map((run) => ({ ...run, answersFrom: run.placement }))];
}

/**
 * The image that proofs of a workload run their programs in, which need Node: its own, or where that is built elsewhere, any that is
 * built here.
 */
export function imageFor(
  { images }: Pick<MeshModel, 'images'>,
  { app }: Pick<WorkloadModel, 'app'>,
): string | undefined {
  const own = images.find((image) => image.app === app);
  return (app === undefined ? images[0] : own)?.reference;
}

/**
 * What can be read through the ingress gateways, of each edge and each workload that it exposes and whose answers tell who gave
 * them: of an image that is built elsewhere they do not.
 */
export function readsOf(model: MeshModel): readonly EdgeRead[] {
  return model.workloads.flatMap((edge) => {
    // Over TLS a call would need the name and the certificate of the edge: probes call in its name.
    if (edge.edge === undefined || edge.edge.tls) return [];
    const host = hostOf(edge.edge);
    return edge.edge.reads.flatMap((read) => {
      const callee = calleeOf(model, read);
      const tells = callee?.app !== undefined;
      return !tells || callee.answersFrom.length === 0 || edge.answersFrom.length === 0
        ? []
        : [{ edge, callee, read: { path: read.path, host } }];
    });
  });
}

/** The host that a call to an edge asks for; none where it answers for any. */
export function hostOf({ hosts: [host = '*'] }: Pick<EdgeModel, 'hosts'>): string | undefined {
  return host === '*' ? undefined : host;
}

/** The workload that a call is to. */
export function calleeOf(
  { workloads }: MeshModel,
  { workload, namespace }: Pick<ReadModel, 'workload' | 'namespace'>,
): WorkloadModel | undefined {
  return workloads.find((each) => each.name === workload && each.namespace === namespace);
}

/** Clusters in which a call through a cluster's ingress gateway may get to an edge. */
export function edgeClusters({ answersFrom, local }: WorkloadModel, ingress: string): readonly string[] {
  return local && answersFrom.includes(ingress) ? [ingress] : answersFrom;
}

/** Clusters that may answer a call made in any of some: the caller's own alone, where the callee runs there and nothing spreads its calls. */
export function answeringClusters(callee: WorkloadModel, from: readonly string[]): readonly string[] {
  const { answersFrom, local } = callee;
  const isNear = local && from.every((cluster) => answersFrom.includes(cluster));
  return isNear ? from : answersFrom;
}

/** What a workload is called in titles, which tell proofs apart: with its namespace where another one has its name. */
export function titleOf(
  { workloads, runs = [] }: MeshModel,
  { name, namespace }: Pick<WorkloadModel, 'name' | 'namespace'>,
): string {
  const others = [...workloads, ...runs].filter((each) => each.name === name);
  return others.length > 1 ? `${namespace}/${name}` : name;
}
