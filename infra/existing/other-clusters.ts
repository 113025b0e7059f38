import type { X509Certificate } from 'node:crypto';
import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { text } from '../kube/kube-object.ts';
import { plannedNamespaces } from '../plan/reach.ts';
import type { Plan } from '../plan/plan.ts';
import { askClusters, readingsOf } from '../remote/istiod-clusters.ts';
import type { ClusterAnswer } from '../remote/istiod-clusters.ts';
import { parseCertificates } from '../trust/pem.ts';
import type { FoundIstio } from './found-istio.ts';
import { clusterNameOf } from './installation.ts';

/**
 * Why an istiod does not know the pods of other clusters: each without a remote secret, or whose API server it does not read.
 * Warns of clusters that it reads and the mesh does not declare.
 */
export async function remoteProblems(
  istio: FoundIstio,
  plan: Plan,
  warn: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const { client, namespace } = istio;
  const others = plan.clusters.filter((name) => name !== client.cluster);
  const answers = await askClusters(client, namespace, signal);
  for (const line of strangerWarnings(istio, answers, plan)) warn(line);
  if (others.length === 0) return [];
  const readings = readingsOf(answers, others);
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

/**
 * Identities and names of services have no cluster in them: what another cluster that istiod reads has in a namespace of the mesh
 * counts as the mesh's (https://istio.io/latest/docs/ops/deployment/deployment-models/#namespace-tenancy).
 */
function strangerWarnings(
  istio: FoundIstio,
  answers: readonly ClusterAnswer[],
  plan: Plan,
): readonly string[] {
  const { cluster } = istio.client;
  const known = [...plan.clusters, clusterNameOf(istio)];
  const read = new Set(answers.flatMap(({ seen }) => [...(seen?.keys() ?? [])]));
  const strangers = [...read].filter((name) => !known.includes(name)).sort();
  const namespaces = plannedNamespaces(plan).toSorted().join(', ');
  const warnings = strangers.map(
    (name) =>
      `cluster ${cluster}: istiod also reads cluster ${name}, which the mesh does not declare: in namespaces ${namespaces} there, pods with the name of a service account of the mesh have its rights, and endpoints with the name of a service of the mesh get its calls; declare the cluster, or have these namespaces kept free in it`,
  );
  const unseen = answers.find(({ seen }) => seen === undefined);
  // With other clusters declared, that is said of each of them.
  if (unseen === undefined || plan.clusters.length > 1) return warnings;
  return [
    ...warnings,
    `cluster ${cluster}: whether istiod reads clusters that the mesh does not declare was not seen: ${unseen.because}`,
  ];
}

/** Name of the ConfigMap in which istiod gives every namespace the roots that its proxies trust. */
const rootsName = 'istio-ca-root-cert';

/** Pairs of clusters whose proxies trust no root in common: neither could call the other's. */
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
  const known = all.filter(({ roots }) => roots.size > 0);
  return known.flatMap((one, index) =>
    known
      .slice(index + 1)
      .filter(({ roots }) => ![...roots].some((root) => one.roots.has(root)))
      .map(({ cluster, roots }) => ({
        where: `${cluster}: Istio`,
        what: `trusts no root CA that ${one.cluster} trusts: every call between the two would fail in its TLS handshake`,
        received: [...roots].map(short).join(', '),
        allowed: [...one.roots].map(short).join(', '),
        fix: 'have its owners sign the CAs of both with a common root (https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/)',
      })),
  );
}

function prints(certificates: readonly X509Certificate[]): ReadonlySet<string> {
  return new Set(certificates.map(({ fingerprint256 }) => fingerprint256));
}

/** Enough of a SHA-256 fingerprint to tell a few apart. */
function short(print: string): string {
  return `SHA-256 ${print.slice(0, 23)}`;
}
