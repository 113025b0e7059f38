import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import type { Clients } from '../../infra/kube/connection.ts';
import { formatEndpoint, gatewayEndpoints } from '../../infra/reach/gateway-endpoint.ts';

/**
 * The URL of each cluster's ingress gateway: the first of its addresses. None in a mesh without a gateway.
 * @throws ProblemsError (exit 1) naming each cluster whose gateway has none.
 */
export async function ingressUrls(
  { ingress: gateway }: Pick<MeshModel, 'ingress'>,
  clients: Clients,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  // Without edges there is nothing to come in.
  if (gateway === undefined) return {};
  const { namespace, name } = gateway;
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name } };
  const problems: Problem[] = [];
  const urls = await Promise.all(
    Object.entries(clients).map(async ([cluster, client]) => {
      const [first] = gatewayEndpoints(gateway, cluster, await client.get(service, signal));
      if (first !== undefined) return [[cluster, `http://${formatEndpoint(first)}`] as const];
      problems.push({ where: `cluster ${cluster}`, what: 'its ingress gateway has no address' });
      return [];
    }),
  );
  if (problems.length > 0) throw new ProblemsError(problems, 1);
  return Object.fromEntries(urls.flat());
}
