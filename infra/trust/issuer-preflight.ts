import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { condition, describe, text } from '../kube/kube-object.ts';
import type { IssuerReference } from '../plan/stack-config.ts';
import { certManager, describeIssuer } from './issuer.ts';
import { issuedProblems } from './issued.ts';
import { rootsKey } from './live-ca.ts';
import { cacertsKey, readCacerts } from './objects.ts';
import { parseCertificates } from './pem.ts';
import { issuerOf } from './state.ts';

/**
 * Everything that keeps an issuer from signing the CAs of the clusters: no cert-manager, no such issuer or one that is not
 * ready, a mesh whose CAs come from elsewhere, and roots that differ between clusters or from what proxies trust. Writes
 * nothing.
 */
export async function issuerProblems(
  clients: readonly KubeClient[],
  namespace: string,
  issuer: IssuerReference,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const served = await Promise.all(
    clients.map((client) => client.typeOf(certManager.version, 'Certificate', signal)),
  );
  const without = clients.filter((_, index) => served[index] === undefined).map(({ cluster }) => cluster);
  if (without.length > 0) {
    return [
      {
        where: 'trust.issuer',
        what: `cert-manager is not installed in ${without.join(', ')}: Certificate of ${certManager.version} is not served`,
        received: describeIssuer(issuer),
        fix: `install cert-manager and the issuer in ${without.join(', ')}, or remove trust.issuer to use CAs of the trust folder`,
      },
    ];
  }
  const problems = await Promise.all(
    clients.map(async (client) => [
      ...(await absentIssuer(client, namespace, issuer, signal)),
      ...(await otherCa(client, clients, namespace, issuer, signal)),
    ]),
  );
  return problems.flat();
}

/** API versions of other groups' issuers are not known here, so only cert-manager's own are checked; for others the Certificate reports the problem. */
async function absentIssuer(
  client: KubeClient,
  namespace: string,
  issuer: IssuerReference,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const { name, kind, group } = issuer;
  if (group !== certManager.group) return [];
  const metadata = kind === 'Issuer' ? { name, namespace } : { name };
  const key = { apiVersion: certManager.version, kind, metadata };
  const live = await client.get(key, signal);
  const where = `${client.cluster}: ${describe(key)}`;
  if (live === undefined)
    return [
      { where, what: 'does not exist, but trust.issuer names it', fix: 'create it in every cluster first' },
    ];
  const ready = condition(live, 'Ready');
  if (text(ready, 'status') === 'True') return [];
  const why = text(ready, 'message') ?? 'cert-manager has not seen it, its controller may not be running';
  return [{ where, what: `is not ready: ${why}`, fix: 'repair the issuer, then run the command again' }];
}

/** An existing CA remains the mesh's CA: another root would cut running workloads off. */
async function otherCa(
  client: KubeClient,
  clients: readonly KubeClient[],
  namespace: string,
  issuer: IssuerReference,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const key = cacertsKey(namespace);
  const live = await client.get(key, signal);
  if (live === undefined) return [];
  const where = `${client.cluster}: ${describe(key)}`;
  const cut = 'another root CA would cut off every running workload';
  const signed = issuerOf(live);
  if (signed === undefined) {
    return [
      {
        where,
        what: `holds a CA that cert-manager did not issue: ${cut}`,
        received: `trust.issuer: ${describeIssuer(issuer)}`,
        fix: 'leave trust.issuer out, or take the mesh down first',
      },
    ];
  }
  if (describeIssuer(signed) !== describeIssuer(issuer)) {
    return [
      {
        where,
        what: `is signed by a different issuer than trust.issuer names: ${cut}`,
        received: describeIssuer(issuer),
        allowed: describeIssuer(signed),
        fix: 'restore the previous trust.issuer, or take the mesh down first',
      },
    ];
  }
  const wrong = await issuedProblems(client, clients, namespace, issuer, signal);
  if (wrong.length > 0) return wrong;
  const distributed = await client.get(rootsKey(namespace), signal);
  const trusted = prints(text(distributed, 'data', 'root-cert.pem') ?? '');
  if (trusted.length === 0 || prints(readCacerts(live).roots).every((print) => trusted.includes(print)))
    return [];
  return [
    {
      where,
      what: `${describeIssuer(issuer)} has changed its root: proxies trust the previous root, and the next istiod to start would sign with a CA that they reject`,
      fix: `restore the previous CA of the issuer and issue the certificate again (cmctl renew --namespace ${namespace} cacerts), or take the mesh down first`,
    },
  ];
}

function prints(pem: string): readonly string[] {
  return (parseCertificates(pem) ?? []).map(({ fingerprint256 }) => fingerprint256);
}
