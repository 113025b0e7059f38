import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Plan } from '../plan/plan.ts';
import { atGatewaysProblems } from './at-gateways.ts';
import { elsewhereProblems } from './elsewhere.ts';
import { findIstio } from './found-istio.ts';
import type { FoundIstio, Injector } from './found-istio.ts';
import { gatewayScopeProblems } from './gateway-scope.ts';
import { eastWestProblems } from './gateways.ts';
import { identityWarnings } from './identities.ts';
import { injectedPodProblems } from './injected-pods.ts';
import { installationProblems, versionWarnings } from './installation.ts';
import { ingressProblems } from './joined-gateways.ts';
import { meshConfigFindings } from './mesh-config.ts';
import { cniProblems, discoveryProblems, namespaceProblems } from './namespaces.ts';
import { oneNetworkProblems } from './one-network.ts';
import { remoteProblems, rootProblems } from './other-clusters.ts';
import { policyWarnings } from './policies.ts';

/**
 * Compares the Istio of others in each cluster with what the mesh declares and needs of it: each difference with its consequence
 * and what to do. Writes nothing.
 * @param earlier - namespaces that earlier applies of this mesh wrote in; where it is not known, nothing is said of others
 * @param warn - called with what does not keep the mesh from working
 */
export async function existingIstioProblems(
  clients: readonly KubeClient[],
  plan: Plan,
  existing: ExistingIstioModel,
  earlier: readonly string[] | undefined,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const found = await Promise.all(clients.map((client) => findIstio(client, existing, signal)));
  const istios = found.flatMap((each) => ('istio' in each ? [each.istio] : []));
  const missing = found.flatMap((each) => ('problem' in each ? [each.problem] : []));
  for (const each of found) if ('unseen' in each) warn(each.unseen);
  const lists = await Promise.all([
    ...istios.map((istio) => checkOne(istio, plan, existing, warn, signal)),
    ...clients.map((client) => {
      const one = found[clients.indexOf(client)];
      const injector =
        one === undefined || 'problem' in one
          ? undefined
          : 'istio' in one
            ? one.istio.injector
            : one.injector;
      return checkCluster(client, plan, existing, injector, warn, signal);
    }),
    ...(earlier === undefined
      ? []
      : clients.map((client) => elsewhereProblems(client, plan, earlier, signal))),
    eastWestProblems(istios, plan, warn, signal),
    oneNetworkProblems(clients, plan, existing, warn, signal),
    rootProblems(
      istios.map(({ client }) => client),
      existing,
      warn,
      signal,
    ),
  ]);
  return [...missing, ...lists.flat()];
}

/** What a control plane itself tells. */
async function checkOne(
  istio: FoundIstio,
  plan: Plan,
  existing: ExistingIstioModel,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const { problems, warnings } = meshConfigFindings(istio, existing);
  for (const warning of [...versionWarnings(istio), ...identityWarnings(istio, plan), ...warnings])
    warn(warning);
  return [
    ...installationProblems(istio, plan),
    ...cniProblems(istio, existing),
    ...problems,
    ...gatewayScopeProblems(istio, plan, existing),
    ...(await discoveryProblems(istio, plan, existing, signal)),
    ...(await remoteProblems(istio, plan, warn, signal)),
  ];
}

/** What is to be seen without it. */
async function checkCluster(
  client: KubeClient,
  plan: Plan,
  existing: ExistingIstioModel,
  injector: Injector | undefined,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  for (const warning of await policyWarnings(client, plan, existing, signal)) warn(warning);
  return [
    ...(await namespaceProblems(client, plan, existing, injector?.revision, signal)),
    ...(await injectedPodProblems(client, plan, existing, injector, warn, signal)),
    ...(await ingressProblems(client, plan, existing, signal)),
    ...(await atGatewaysProblems(client, plan, existing, warn, signal)),
  ];
}
