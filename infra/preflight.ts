import { ProblemsError } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import type { Clients } from './connection.ts';
import { describe, isManaged, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import type { ClusterTrust } from './trust.ts';
import { cacertsSecret } from './trust.ts';

/**
 * Looks for what must not be overwritten: an Istio that somebody else installed, and another trust. Nothing is changed.
 * @throws ProblemsError (exit 2) with what every cluster holds.
 */
export async function checkClusters(
  clients: Clients,
  trust: Readonly<Record<string, ClusterTrust>>,
  namespace: string,
  signal?: AbortSignal,
): Promise<void> {
  const found = await Promise.all(
    Object.entries(clients).map(async ([cluster, client]): Promise<Problem[]> => {
      const ours = trust[cluster];
      const istiod: KubeObject = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'istiod', namespace },
      };
      const [liveIstiod, liveCacerts] = await Promise.all([
        client.get(istiod, signal),
        ours === undefined ? undefined : client.get(cacertsSecret(namespace, ours), signal),
      ]);
      const problems: Problem[] = [];
      if (liveIstiod !== undefined && !isManaged(liveIstiod)) {
        problems.push({
          where: `${cluster}: ${describe(istiod)}`,
          what: 'belongs to an Istio that meshwright did not install',
          fix: 'uninstall it first, or use another cluster',
        });
      }
      const root = Buffer.from(text(liveCacerts, 'data', 'root-cert.pem') ?? '', 'base64').toString('utf8');
      if (liveCacerts !== undefined && root.trim() !== ours?.rootCertificate.trim()) {
        problems.push({
          where: `${cluster}: Secret ${namespace}/cacerts`,
          what: 'holds another root CA than the trust folder; replacing it would cut every running workload off',
          fix: 'put the trust folder that this mesh was made with back, or take the mesh down first',
        });
      }
      return problems;
    }),
  );
  const problems = found.flat();
  if (problems.length > 0) throw new ProblemsError(problems);
}
