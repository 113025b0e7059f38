import type { KubernetesObject } from '../model/mesh-model.ts';
import { renderedCluster, type RenderedMesh, type RenderedObject } from '../model/rendered.ts';

/** An object as a declaration of its own would render it: of the construct `own`, named `one` in `shop` unless said otherwise. */
export function objectOf(
  apiVersion: string,
  kind: string,
  spec?: object,
  metadata: object = {},
): KubernetesObject {
  return {
    apiVersion,
    kind,
    metadata: { name: 'one', namespace: 'shop', ...metadata },
    ...(spec && { spec }),
  };
}

/** What is to be rendered for each cluster: `east` in the network `net-east`, then `west` in `net-west`. */
export function renderedOf(...clusters: readonly (readonly KubernetesObject[])[]): RenderedMesh {
  return {
    clusters: clusters.map((objects, index) => {
      const name = ['east', 'west'][index] ?? `cluster-${index}`;
      const rendered = objects.map((object): RenderedObject => ({
        cluster: name,
        where: 'own',
        object,
        differs: undefined,
        custom: false,
      }));
      return renderedCluster({ name, network: `net-${name}` }, rendered);
    }),
  };
}
