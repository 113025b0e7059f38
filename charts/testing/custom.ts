import { MeshConstruct } from '../constructs/scope/mesh-construct.ts';
import type { Mesh } from '../constructs/mesh.ts';
import type { Projection } from '../constructs/scope/projection.ts';
import { problemsOf, twoClusters } from './mesh.ts';
import { withProject } from './project.ts';

type Two = Mesh<'east' | 'west'>;

/** A construct as a user writes one: whatever the function adds to each cluster. */
class Custom extends MeshConstruct<'east' | 'west'> {
  readonly mesh: Two;
  readonly #add: (into: Projection) => void;

  constructor(mesh: Two, add: (into: Projection) => void) {
    super(mesh, 'custom');
    this.mesh = mesh;
    this.#add = add;
  }

  override project(into: Projection): void {
    this.#add(into);
  }
}

/**
 * What synth says of a mesh with the namespace `shop`, to which a user's own construct `demo/custom` adds objects.
 * @param declare - declares what else is in the mesh
 */
export function problemsWith(
  add: (into: Projection) => void,
  declare: (mesh: Two, namespace: ReturnType<Two['namespace']>) => void = () => undefined,
): readonly string[] {
  return withProject({}, (root) => {
    const mesh = twoClusters(root);
    declare(mesh, mesh.namespace('shop'));
    new Custom(mesh, add);
    return problemsOf(mesh);
  });
}

/** Adds an Istio resource to namespace `shop`, in every cluster alike. */
export function istio(
  into: Projection,
  kind: 'AuthorizationPolicy' | 'VirtualService' | 'DestinationRule' | 'Gateway' | 'Sidecar',
  name: string,
  spec: object,
): void {
  into.addIstio('40-services', 'demo/custom', kind, { name, namespace: 'shop' }, spec);
}
