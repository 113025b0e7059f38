import type { MeshModel, ReadModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import type { Read } from './http.ts';

/** A read that an edge of the mesh takes, and the workload that answers it. */
export interface EdgeRead {
  readonly edge: WorkloadModel;
  readonly callee: WorkloadModel;
  readonly read: Read;
}

/** What can be read through the ingress gateways, of each edge and each workload that it exposes. */
export function readsOf(model: MeshModel): readonly EdgeRead[] {
  return model.workloads.flatMap((edge) => {
    // Over TLS a call would need the name and the certificate of the edge: probes call in its name.
    if (edge.edge === undefined || edge.edge.tls) return [];
    const [host = '*'] = edge.edge.hosts;
    return edge.edge.reads.flatMap((read) => {
      const callee = calleeOf(model, read);
      return callee === undefined
        ? []
        : [{ edge, callee, read: { path: read.path, host: host === '*' ? undefined : hostIn(host) } }];
    });
  });
}

/** A host that a wildcard stands for. */
function hostIn(host: string): string {
  return host.replace(/^\*/, 'probe');
}

/** The workload that a call is to. */
export function calleeOf(
  { workloads }: MeshModel,
  { workload, namespace }: Pick<ReadModel, 'workload' | 'namespace'>,
): WorkloadModel | undefined {
  return workloads.find((each) => each.name === workload && each.namespace === namespace);
}

/** Clusters that may answer a call made in one of them: that one alone where the callee runs there, and nothing spreads its calls. */
export function answeringClusters(callee: WorkloadModel, from: string): readonly string[] {
  return callee.local && callee.placement.includes(from) ? [from] : callee.placement;
}
