import type { X509Certificate } from 'node:crypto';
import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { text } from '../kube/kube-object.ts';
import { readClusters } from '../remote/istiod-clusters.ts';
import { parseCertificates } from '../trust/pem.ts';
import type { FoundIstio } from './found-istio.ts';

/** Why an istiod does not know the pods of other clusters: each without a remote secret, or whose API server it does not read. */
export async function remoteProblems(
  istio: FoundIstio,
  clusters: readonly string[],
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const { client, namespace } = istio;
  const others = clusters.filter((name) => name !== client.cluster);
  if (others.length === 0) return [];
  const readings = await readClusters(client, namespace, others, signal);
  return others.flatMap((other): readonly Problem[] => {
    const where = `${client.cluster}: Istio`;
    const seen = readings.get(other) ?? [];
    if (seen.length === 0)
      return [
        {
          where,
          what: `no ready istiod tells whether it knows cluster ${other}`,
          fix: `look at the pods of istiod: kubectl --context ${client.config.getCurrentContext()} --namespace ${namespace} get pods --selector app=istiod`,
        },
      ];
    const worst = seen.find(({ status }) => status !== 'synced');
    if (worst === undefined) return [];
    const { status, because } = worst;
    if (status === 'unknown' && because !== 'it has not loaded the remote secret') {
      warn(`cluster ${client.cluster}: whether istiod knows cluster ${other} was not seen: ${because ?? ''}`);
      return [];
    }
    return [
      {
        where,
        what:
          status === 'unknown'
            ? `does not know cluster ${other}: calls would never get to services that run there alone, and no other cluster would take over`
            : `does not read cluster ${other} (${status}): it would not know its pods`,
        fix:
          status === 'unknown'
            ? `have its owners give it a remote secret: istioctl create-remote-secret --name ${other}, applied in ${client.cluster}`
            : `have its owners renew the remote secret of ${other}, and let istiod reach its API server`,
      },
    ];
  });
}

/** Name of the ConfigMap in which istiod gives every namespace the roots that its proxies trust. */
const rootsName = 'istio-ca-root-cert';

/** Clusters whose proxies trust no root in common: none could call another's. */
export async function rootProblems(
  clients: readonly KubeClient[],
  { rootNamespace }: ExistingIstioModel,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const metadata = { name: rootsName, namespace: rootNamespace };
  const all = await Promise.all(
    clients.map(async (client) => {
      const live = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, signal);
      const roots = parseCertificates(text(live, 'data', 'root-cert.pem') ?? '');
      return { cluster: client.cluster, roots: prints(roots ?? []) };
    }),
  );
  for (const { cluster } of all.filter(({ roots }) => roots.size === 0))
    warn(
      `cluster ${cluster}: ConfigMap ${rootNamespace}/${rootsName} shows no root: whether its proxies trust those of other clusters was not compared`,
    );
  const [first, ...others] = all.filter(({ roots }) => roots.size > 0);
  return others
    .filter(({ roots }) => ![...roots].some((root) => first?.roots.has(root)))
    .map(({ cluster, roots }) => ({
      where: `${cluster}: Istio`,
      what: `trusts no root CA that ${first?.cluster ?? ''} trusts: every call between the two would fail in its TLS handshake`,
      received: [...roots].map(short).join(', '),
      allowed: [...(first?.roots ?? [])].map(short).join(', '),
      fix: 'have its owners sign the CAs of both with a common root (https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/)',
    }));
}

function prints(certificates: readonly X509Certificate[]): ReadonlySet<string> {
  return new Set(certificates.map(({ fingerprint256 }) => fingerprint256));
}

/** Enough of a SHA-256 fingerprint to tell a few apart. */
function short(print: string): string {
  return `SHA-256 ${print.slice(0, 23)}`;
}
