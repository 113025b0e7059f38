import type { GrpcReadModel, MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { answeringClusters, calleeOf, titleOf } from './edges.ts';
import { callGrpc, describeGrpc } from './grpc.ts';
import { clusterOf } from './http.ts';
import { isExpected, type ProbeAnswer } from './callers/probe-program.ts';
import { callsInARow, ingressOf, untilSteady, type Proof } from './proof.ts';

interface GrpcRead {
  readonly callee: WorkloadModel;
  readonly read: GrpcReadModel;
  readonly host: string | undefined;
}

/**
 * Through every cluster's ingress gateway native gRPC clients get answers of the services that an edge exposes, from where they should
 * be; and none without a token where a method asks for one.
 */
export function grpcReads(model: MeshModel): readonly Proof[] {
  return model.workloads.flatMap((edge) => {
    // Over TLS a call would need the name and the certificate of the edge.
    if (edge.edge?.grpc === undefined || edge.edge.tls) return [];
    const [first = '*'] = edge.edge.hosts;
    const host = first === '*' ? undefined : first;
    const reads = edge.edge.grpc.flatMap((read): GrpcRead[] => {
      const callee = calleeOf(model, read);
      return callee === undefined || callee.answersFrom.length === 0 ? [] : [{ callee, read, host }];
    });
    const open = reads.filter(({ read }) => !read.token);
    const closed = reads.filter(({ read }) => read.token);
    return model.clusters.flatMap(({ name: cluster }) => [
      ...(open.length === 0 ? [] : [answered(model, edge, cluster, open)]),
      ...(closed.length === 0 ? [] : [refused(model, edge, cluster, closed)]),
    ]);
  });
}

function answered(model: MeshModel, edge: WorkloadModel, cluster: string, reads: readonly GrpcRead[]): Proof {
  const expected = reads.map(({ callee }) => {
    const clusters = answeringClusters(callee, [cluster]).join(' or ');
    // An image that is built elsewhere does not say who answers.
    return `by ${titleOf(model, callee)}${callee.app === undefined ? '' : ` in ${clusters}`}`;
  });
  return proof(
    `gRPC calls to ${titleOf(model, edge)} through ${cluster} are answered ${listed(expected)}`,
    cluster,
    reads,
    ({ callee }, answer) => notAnswered(callee, answer, answeringClusters(callee, [cluster])),
  );
}

function refused(model: MeshModel, edge: WorkloadModel, cluster: string, reads: readonly GrpcRead[]): Proof {
  const callees = reads.map(({ callee }) => titleOf(model, callee));
  return proof(
    `gRPC calls without a token to ${titleOf(model, edge)} through ${cluster} do not get to ${listed(callees)}`,
    cluster,
    reads,
    (_, answer) => notRefused(answer),
  );
}

function proof(
  title: string,
  cluster: string,
  reads: readonly GrpcRead[],
  wrong: (read: GrpcRead, answer: ProbeAnswer) => string | undefined,
): Proof {
  return {
    title,
    run: async (context) => {
      const seen = await Promise.all(
        reads.map(async (each) => {
          const { read, host, callee } = each;
          const what = `gRPC calls of ${callee.name} through ${cluster}`;
          return untilSteady(context, what, async () => {
            const answer = await callGrpc(
              ingressOf(context, cluster),
              { path: read.path, host },
              context.signal,
            );
            const because = wrong(each, answer);
            return because === undefined
              ? { value: answer }
              : { because: `${read.path} through ${cluster}: ${because} (${describeGrpc(answer)})` };
          });
        }),
      );
      const calls = callsInARow + 1;
      return `${calls} of ${calls} each, the last with ${seen.map(describeGrpc).join('; ')}`;
    },
  };
}

/** Why an answer is none of an ingress gateway that let nothing through. */
export function notRefused(answer: ProbeAnswer): string | undefined {
  const isDenied = isExpected(answer, { url: '', path: '', answeredBy: 'proxy', foreign: true });
  return isDenied && answer.servedBy === '' ? undefined : 'it was not denied by the ingress gateway';
}

/** Why an answer is none of a service in one of these clusters. What the service says is its own affair. */
export function notAnswered(
  { app }: WorkloadModel,
  answer: ProbeAnswer,
  clusters: readonly string[],
): string | undefined {
  if (!isExpected(answer, { url: '', path: '', answeredBy: 'service', foreign: app === undefined })) {
    return 'no service answered';
  }
  if (app === undefined || clusters.includes(clusterOf(answer.servedBy))) return undefined;
  return `it was not served by ${clusters.join(' or ')}`;
}

function listed(parts: readonly string[]): string {
  return new Intl.ListFormat('en').format(parts);
}
