import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { condition, describe, field, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { IssuerReference } from '../plan/stack-config.ts';
import { certificateKey, describeIssuer } from './issuer.ts';
import { cacertsKey, readCacerts } from './objects.ts';
import { isPair, parseCertificates, pathFindings } from './pem.ts';
import { issuerOf } from './state.ts';

export interface IssuedOptions {
  readonly report: (line: string) => void;
  /** In milliseconds. @default - three minutes, which is ample for an issuer in the cluster */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const defaultTimeoutMs = 180_000;
const intervalMs = 1_000;

/**
 * Waits until cert-manager has issued a cluster's CA, and checks it; the cluster's istiod starts after that.
 * @param clients - of all clusters: their CAs, where they exist, must have the same root
 * @throws ProblemsError (exit 1) for a CA that is not issued in time, with cert-manager's reason, and for one that does not fit the mesh.
 */
export async function awaitIssued(
  client: KubeClient,
  clients: readonly KubeClient[],
  namespace: string,
  issuer: IssuerReference,
  { report, timeoutMs = defaultTimeoutMs, signal }: IssuedOptions,
): Promise<void> {
  const key = certificateKey(namespace);
  const what = `${client.cluster}: ${describe(key)} issued by ${describeIssuer(issuer)}`;
  const context = client.config.getCurrentContext();
  const whereToLook = () =>
    `kubectl --context ${context} --namespace ${namespace} describe certificate,certificaterequest`;
  let looks = 0;
  await waitFor({ what, timeoutMs, intervalMs, whereToLook, ...(signal && { signal }) }, async () => {
    const because = notIssued(await client.get(key, signal));
    if (because === undefined) return { done: true, value: true };
    if (++looks === 1) report(`${what}: waiting, ${because}`);
    return { done: false, because };
  });
  const problems = await issuedProblems(client, clients, namespace, issuer, signal);
  if (problems.length > 0) throw new ProblemsError(problems, 1);
}

/** Why a live Certificate is not ready, in cert-manager's words; undefined when it is ready in its present form. */
function notIssued(live: KubeObject | undefined): string | undefined {
  if (live === undefined) return 'it does not exist';
  const [ready, issuing] = [condition(live, 'Ready'), condition(live, 'Issuing')];
  const seen = field(ready, 'observedGeneration');
  const isOld = typeof seen === 'number' && seen < Number(field(live, 'metadata', 'generation') ?? seen);
  if (text(ready, 'status') === 'True' && !isOld) return undefined;
  const words = [issuing, ready].flatMap((one) => text(one, 'message') ?? []);
  if (words.length === 0) return 'cert-manager has not seen it: its controller may not be running';
  return [...new Set(words)].join('; ');
}

/** Problems of a cluster's CA as cert-manager issued it. */
export async function issuedProblems(
  client: KubeClient,
  clients: readonly KubeClient[],
  namespace: string,
  issuer: IssuerReference,
  signal: AbortSignal | undefined,
  now = new Date(),
): Promise<readonly Problem[]> {
  const key = cacertsKey(namespace);
  const live = await client.get(key, signal);
  const problem = (what: string): readonly Problem[] => [
    {
      where: `${client.cluster}: ${describe(key)}`,
      what,
      fix: `make ${describeIssuer(issuer)} sign with the same root in all clusters, then issue the certificate again: cmctl renew --namespace ${namespace} cacerts`,
    },
  ];
  if (live === undefined) return problem('does not exist');
  const finding = findingOf(live, now);
  if (finding !== undefined) return problem(finding);
  const others = await Promise.all(
    clients
      .filter(({ cluster }) => cluster !== client.cluster)
      .map(async (other) => ({ cluster: other.cluster, cacerts: await other.get(key, signal) })),
  );
  const unlike = others.filter(
    ({ cacerts }) =>
      cacerts !== undefined && issuerOf(cacerts) !== undefined && rootOf(cacerts) !== rootOf(live),
  );
  if (unlike.length === 0) return [];
  const names = unlike.map(({ cluster }) => cluster).join(', ');
  return problem(`its ca.crt is not the root of ${names}, and all clusters must share one root`);
}

function findingOf(live: KubeObject, now: Date): string | undefined {
  const held = readCacerts(live);
  const [certificate, ...above] = parseCertificates(held.certificate) ?? [];
  const roots = parseCertificates(held.roots) ?? [];
  const [root] = roots;
  if (certificate === undefined) return 'tls.crt is not a PEM certificate';
  if (root === undefined) return 'ca.crt is not a PEM certificate: its issuer does not publish its root';
  if (roots.length > 1) return 'ca.crt holds more than one certificate, and all clusters must share one root';
  if (!isPair(certificate, Buffer.from(text(live, 'data', 'tls.key') ?? '', 'base64').toString('utf8')))
    return 'tls.key is not the private key of tls.crt';
  if (!root.checkIssued(root)) return 'ca.crt is not a root: it is not signed by itself';
  const between = above.filter(({ fingerprint256 }) => fingerprint256 !== root.fingerprint256);
  const path = [
    { name: 'tls.crt', certificate },
    ...between.map((one, index) => ({ name: `CA ${index + 2} of tls.crt`, certificate: one })),
    { name: 'ca.crt', certificate: root },
  ];
  return pathFindings(path, now)[0];
}

function rootOf(cacerts: KubeObject): string | undefined {
  return parseCertificates(readCacerts(cacerts).roots)?.[0]?.fingerprint256;
}

/** End of validity of the existing CAs, by cluster. */
export async function issuedNotAfter(
  clients: readonly KubeClient[],
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, Date>>> {
  const ends = await Promise.all(
    clients.map(async (client) => {
      const live = await client.get(cacertsKey(namespace), signal);
      const [signer] = (live && parseCertificates(readCacerts(live).certificate)) ?? [];
      return signer === undefined ? [] : [[client.cluster, signer.validToDate] as const];
    }),
  );
  return Object.fromEntries(ends.flat());
}
