import type { MeshModel, WebReadModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import {
  answeringClusters,
  calleeOf,
  edgeClusters,
  hostOf,
  readsOf,
  titleOf,
  type EdgeRead,
} from './edges.ts';
import { clusterOf, denial, type Answer } from './http.ts';
import { callUntilSteady, callsInARow, type Proof } from './proof.ts';

/** Through every cluster's ingress gateway each edge gets answers of the services that it exposes, from where they should be. */
export function edgeReads(model: MeshModel): readonly Proof[] {
  const edges = Map.groupBy(readsOf(model), ({ edge }) => edge);
  return [...edges].flatMap(([edge, reads]) =>
    model.clusters.map(({ name: cluster }) => ({
      title: `calls to ${titleOf(model, edge)} through ${cluster} are answered ${listed(reads.map((read) => expectation(model, read, cluster)))}`,
      run: async (context) => {
        const seen = await Promise.all(
          reads.map(async ({ callee, read }) => {
            const expected = answeringClusters(callee, edgeClusters(edge, cluster));
            const { servedBy } = await callUntilSteady(
              context,
              `answers of ${callee.name} through ${cluster}`,
              cluster,
              read,
              (answer) => notFrom(answer, expected),
            );
            return servedBy;
          }),
        );
        const calls = callsInARow + 1;
        return `${calls} of ${calls} each, the last by ${seen.join(', ')}`;
      },
    })),
  );
}

function expectation(model: MeshModel, { edge, callee }: EdgeRead, cluster: string): string {
  const clusters = answeringClusters(callee, edgeClusters(edge, cluster));
  return `by ${titleOf(model, callee)} in ${clusters.join(' or ')}`;
}

function listed(parts: readonly string[]): string {
  return new Intl.ListFormat('en').format(parts);
}

/** Why an answer is none of a service in one of these clusters. What the service says is its own affair. */
export function notFrom({ servedBy }: Answer, clusters: readonly string[]): string | undefined {
  if (servedBy === '') return 'no service answered';
  return clusters.includes(clusterOf(servedBy)) ? undefined : `it was not served by ${clusters.join(' or ')}`;
}

interface WebRead {
  readonly callee: WorkloadModel;
  readonly read: WebReadModel;
}

/**
 * Through every cluster's ingress gateway the services over plain HTTP that an edge exposes answer; and none without a token where a route
 * asks for one.
 */
export function webReads(model: MeshModel): readonly Proof[] {
  return model.workloads.flatMap((edge) => {
    // Over TLS a call would need the name and the certificate of the edge.
    if (edge.edge?.web === undefined || edge.edge.tls) return [];
    const host = hostOf(edge.edge);
    const reads = edge.edge.web.flatMap((read): WebRead[] => {
      const callee = calleeOf(model, read);
      return callee === undefined || callee.answersFrom.length === 0 ? [] : [{ callee, read }];
    });
    const open = reads.filter(({ read }) => !read.token);
    const closed = reads.filter(({ read }) => read.token);
    const named = (these: readonly WebRead[]) => listed(these.map(({ callee }) => titleOf(model, callee)));
    const from = titleOf(model, edge);
    return model.clusters.flatMap(({ name: cluster }) => [
      ...(open.length === 0
        ? []
        : [
            proof(
              `requests to ${from} through ${cluster} are answered by ${named(open)}`,
              cluster,
              open,
              host,
              notAnswered,
            ),
          ]),
      ...(closed.length === 0
        ? []
        : [
            proof(
              `requests without a token to ${from} through ${cluster} do not get to ${named(closed)}`,
              ...([cluster, closed, host, notRefused] as const),
            ),
          ]),
    ]);
  });
}

function proof(
  title: string,
  cluster: string,
  reads: readonly WebRead[],
  host: string | undefined,
  wrong: (answer: Answer) => string | undefined,
): Proof {
  return {
    title,
    run: async (context) => {
      const seen = await Promise.all(
        reads.map(async ({ callee, read: { path } }) => {
          const what = `requests of ${callee.name} through ${cluster}`;
          const { status } = await callUntilSteady(context, what, cluster, { path, host }, wrong);
          return `GET ${path} with ${status}`;
        }),
      );
      const calls = callsInARow + 1;
      return `${calls} of ${calls} each, the last of ${seen.join(', ')}`;
    },
  };
}

/** Why an answer is none of a service. What the service says is its own affair, unless it says what proxies say of one that is not there. */
export function notAnswered({ status, body, upstream }: Answer): string | undefined {
  if (!upstream) return 'no service answered';
  if (status === 403 && body.startsWith(denial)) return "the service's proxy refused it";
  return [502, 503, 504].includes(status) ? 'the service is not reached' : undefined;
}

/** Why an answer is none of a gateway that refuses a request without a token. */
export function notRefused({ status, body, upstream }: Answer): string | undefined {
  return status === 403 && body.startsWith(denial) && !upstream
    ? undefined
    : 'it was not refused by the gateway';
}
