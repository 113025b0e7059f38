import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe } from '../kube/kube-object.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import { caOfSecret } from './live-ca.ts';
import { readRoots } from './roots.ts';
import { cacertsKey, hasOtherRoot } from './objects.ts';
import { describeLagging, checkProxies } from './proxies.ts';
import { describeIssuer } from './issuer.ts';
import { configProblems, describeTrust, isPhase, issuerOf, readTrustState, stepProblem } from './state.ts';

/**
 * Everything that keeps the clusters from the wanted trust: a root that the trust folder does not have, a phase that is
 * skipped or reversed, and, before a phase, proxies that do not have the certificates of the previous one. Writes nothing.
 */
export async function trustProblems(
  clients: readonly KubeClient[],
  namespace: string,
  directory: string,
  wanted: TrustSettings,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const wrong = configProblems(wanted);
  if (wrong.length > 0) return wrong;
  const roots = readRoots(directory);
  const key = cacertsKey(namespace);
  const live = await Promise.all(
    clients.map(async (client) => ({ client, cacerts: await client.get(key, signal) })),
  );
  const problems = live.flatMap(({ client, cacerts }): readonly Problem[] => {
    if (cacerts === undefined) return [];
    const where = `${client.cluster}: ${describe(key)}`;
    const issuer = issuerOf(cacerts);
    if (issuer !== undefined) {
      return [
        {
          where,
          what: `was created by cert-manager, but the stack has no trust.issuer: another root CA would cut off every running workload`,
          received: describeTrust(wanted),
          allowed: `trust.issuer: ${describeIssuer(issuer)}`,
          fix: 'restore the previous trust.issuer, or take the mesh down first',
        },
      ];
    }
    if (hasOtherRoot(cacerts, roots)) {
      return [
        {
          where,
          what: 'contains a different root CA than the trust folder; replacing it would cut off every running workload',
          fix: 'restore the trust folder that this mesh was created with, or take the mesh down first',
        },
      ];
    }
    const step = stepProblem(where, readTrustState(cacerts), wanted);
    return step === undefined ? [] : [step];
  });
  if (problems.length > 0) return problems;
  // Each phase builds on the previous one. Skip a cluster that an interrupted run has already moved.
  const seen = await Promise.all(
    live.map(async ({ client, cacerts }) =>
      cacerts !== undefined && isPhase(readTrustState(cacerts), wanted)
        ? [await checkProxies(client, caOfSecret(cacerts), signal)]
        : [],
    ),
  );
  return seen.flat().flatMap(({ cluster, lagging, state }) =>
    lagging.length === 0
      ? []
      : [
          {
            where: `cluster ${cluster}`,
            what: `${describeLagging(lagging)}: calls would fail in the next phase`,
            received: describeTrust(wanted),
            allowed: describeTrust(state),
            fix: 'set trust back to the allowed state and run `npm run up`, which waits for the proxies',
          },
        ],
  );
}
