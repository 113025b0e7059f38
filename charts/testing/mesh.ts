import { ProblemsError } from '../../core/problem.ts';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import { Mesh } from '../constructs/mesh.ts';
import type { Namespace } from '../constructs/scope/mesh-construct.ts';
import type { ExistingPlatform, Platform } from '../constructs/scope/platform.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import { lab } from '../platforms.ts';
import { synthesize } from '../synth.ts';
import type { RenderedStage } from '../synth.ts';

/** Two clusters in two regions. */
export const clusters = {
  east: { network: 'net-east', region: 'region-e', zone: 'zone-e1' },
  west: { network: 'net-west', region: 'region-w', zone: 'zone-w1' },
};

/** A mesh of {@link clusters} that holds nothing yet. */
export function twoClusters(
  root: string,
  platform: Platform | ExistingPlatform = lab,
): Mesh<'east' | 'west'> {
  return new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform });
}

/** The catalog of a project of the tests. */
export function catalogIn<C extends string>(
  namespace: Namespace<C>,
  props: { readonly placement?: readonly C[]; readonly app?: string } = {},
): GrpcService<typeof CatalogService, C> {
  return new GrpcService(namespace, 'catalog', { app: 'apps/catalog', service: CatalogService, ...props });
}

/** A cluster's objects, or those of one namespace, in the order of dist/. A Namespace belongs to itself. */
export function objectsOf(
  rendered: readonly RenderedStage[],
  cluster: string,
  namespace?: string,
): readonly KubernetesObject[] {
  return rendered
    .filter((stage) => stage.cluster === cluster)
    .flatMap((stage) => stage.objects)
    .filter(({ kind, metadata }) => {
      const own = kind === 'Namespace' ? metadata.name : metadata.namespace;
      return namespace === undefined || own === namespace;
    });
}

/** The only object of a kind and name in a cluster. */
export function objectOf(
  rendered: readonly RenderedStage[],
  cluster: string,
  kind: string,
  name: string,
): KubernetesObject | undefined {
  const found = objectsOf(rendered, cluster).filter(
    (object) => object.kind === kind && object.metadata.name === name,
  );
  if (found.length > 1) throw new Error(`${cluster} has ${found.length} objects ${kind} ${name}`);
  return found[0];
}

/** The problems that synthesizing reports, a line each; none when it goes well. */
export function problemsOf(mesh: Mesh<string>): readonly string[] {
  try {
    synthesize(mesh);
    return [];
  } catch (error) {
    if (error instanceof ProblemsError && error.exitCode === 2) return error.message.split('\n');
    throw error;
  }
}
