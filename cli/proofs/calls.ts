import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { clusterOf, type Answer } from './http.ts';
import { callUntilSteady, callsInARow, workload, type Proof } from './proof.ts';
import { placeOrder, shopReads } from './shop.ts';

/** Every cluster that runs the catalog serves products itself. */
export function localReads(model: MeshModel): readonly Proof[] {
  const catalog = workload(model, 'catalog');
  return (catalog?.placement ?? []).map((cluster) => ({
    title: `a product read in ${cluster} is served by ${cluster}`,
    run: async (context) => {
      const answer = await callUntilSteady(
        context,
        `products of ${cluster} from ${cluster}`,
        cluster,
        shopReads.catalog,
        (seen) => notFrom(seen, [cluster]),
      );
      return `${callsInARow + 1} of ${callsInARow + 1} calls, the last by ${answer.servedBy}`;
    },
  }));
}

/** An order placed through any cluster's ingress is taken where orders run and reserves stock where that is kept. */
export function orders(model: MeshModel): readonly Proof[] {
  const taken = workload(model, 'orders');
  const stock = workload(model, 'inventory');
  if (taken === undefined || stock === undefined) return [];
  const places = `served by ${taken.placement.join(' or ')}, stock reserved in ${stock.placement.join(' or ')}`;
  return model.clusters.map(({ name }) => ({
    title: `an order placed through ${name} is ${places}`,
    run: async (context) => {
      const answer = await callUntilSteady(context, `an order through ${name}`, name, placeOrder, (seen) => {
        const order = notFrom(seen, taken.placement);
        if (order !== undefined) return order;
        const reservedIn = clusterOf(seen.inventoryServedBy);
        return stock.placement.includes(reservedIn) ? undefined : `stock was reserved in "${reservedIn}"`;
      });
      return `order by ${answer.servedBy}, stock by ${answer.inventoryServedBy}`;
    },
  }));
}

/** Why an answer is no success from one of these clusters. */
export function notFrom(answer: Answer, clusters: readonly string[]): string | undefined {
  if (answer.status !== 200) return 'it failed';
  return clusters.includes(clusterOf(answer.servedBy))
    ? undefined
    : `it was not served by ${clusters.join(' or ')}`;
}
