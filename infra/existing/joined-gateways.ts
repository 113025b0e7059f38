import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { count, describe, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { inQuery, listKind } from './list-kind.ts';

/** What is not there of the ingress gateways that edges join. */
export async function ingressProblems(
  client: KubeClient,
  plan: Plan,
  { ingress }: ExistingIstioModel,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  if (ingress === undefined) return [];
  const { namespace, service, serviceAccount, selector } = ingress;
  const get = (kind: string, name: string) =>
    client.get({ apiVersion: 'v1', kind, metadata: { name, namespace } }, signal);
  const [found, account, pods] = await Promise.all([
    get('Service', service),
    get('ServiceAccount', serviceAccount),
    listKind(client, ['v1', 'Pod'], { namespace, labelSelector: inQuery(selector) }, signal),
  ]);
  const where = `${client.cluster}: platform.ingress`;
  const missing = (kind: string, name: string, key: string, why: string): Problem => ({
    where: `${where}.${key}`,
    what: `there is no ${kind} ${namespace}/${name}: ${why}`,
    fix: `name that of the gateways in existing({ ingress: { namespace, ${key} } })`,
  });
  const others = new Set(
    pods
      .map((pod) => text(pod, 'spec', 'serviceAccountName') ?? 'default')
      .filter((name) => name !== serviceAccount),
  );
  return [
    ...(found === undefined
      ? [missing('Service', service, 'service', 'edges would have no address')]
      : portProblems(`${where}.service`, found, gatewaysIn(plan, client.cluster))),
    ...(account === undefined
      ? [missing('ServiceAccount', serviceAccount, 'serviceAccount', 'edges would refuse the gateways')]
      : []),
    ...(pods.length === 0
      ? [
          {
            where: `${where}.selector`,
            what: `selects no pod in namespace ${namespace}: no gateway would take the routes of edges`,
            received: selector,
            fix: "declare the labels of the gateways' pods in existing({ ingress: { selector } })",
          },
        ]
      : []),
    ...(account !== undefined && others.size > 0
      ? [
          {
            where: `${where}.serviceAccount`,
            what: 'pods that the selector matches run as another account: edges would refuse what they send',
            received: [...others].sort().join(', '),
            allowed: serviceAccount,
            fix: 'declare their account, or a selector of those that run as this one',
          },
        ]
      : []),
  ];
}

/** The Gateways that edges have in a cluster. */
export function gatewaysIn({ steps }: Plan, cluster: string): readonly KubeObject[] {
  return steps
    .filter((step) => step.cluster === cluster)
    .flatMap(({ objects }) => objects)
    .filter(({ kind }) => kind === 'Gateway');
}

/** Ports of edges that a Service of gateways does not have: istiod would have the gateways listen where nobody gets in. */
function portProblems(
  where: string,
  service: KubeObject,
  gateways: readonly KubeObject[],
): readonly Problem[] {
  const has = list(service, 'spec', 'ports').map((port) => count(port, 'port'));
  const asking = gateways.flatMap((gateway) =>
    list(gateway, 'spec', 'servers')
      .map((server) => ({ gateway: describe(gateway), port: count(server, 'port', 'number') }))
      .filter(({ port }) => !has.includes(port)),
  );
  if (asking.length === 0) return [];
  const names = [...new Set(asking.map(({ gateway }) => gateway))].join(', ');
  const lacking = [...new Set(asking.map(({ port }) => port))].sort((a, b) => a - b).join(', ');
  return [
    {
      where,
      what: `${describe(service)} does not have every port of the edges: no request to ${lacking} would get to ${names}`,
      received: has.join(', ') || 'no port',
      allowed: `${lacking} among its ports`,
      fix: 'have its owners add what lacks, or name another Service of these gateways; port 443 is for edges with tls',
    },
  ];
}
