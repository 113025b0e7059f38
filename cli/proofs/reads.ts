import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { answeringClusters, edgeClusters, readsOf, titleOf, type EdgeRead } from './edges.ts';
import { clusterOf, type Answer } from './http.ts';
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
