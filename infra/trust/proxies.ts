import type { X509Certificate } from 'node:crypto';
import { ProblemsError } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { execInPod } from '../kube/pod-exec.ts';
import { pool } from '../kube/pool.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import { readCa } from './live-ca.ts';
import type { LiveCa } from './live-ca.ts';
import { parseCertificates, sameCertificates } from './pem.ts';

/** A proxy whose certificates do not match its cluster's CA. */
export interface LaggingProxy {
  /** `namespace/pod` */
  readonly pod: string;
  readonly because: string;
}

/** The proxies of a cluster, compared with its CA. */
export interface ProxyTrust {
  readonly cluster: string;
  readonly state: TrustSettings;
  /** Number of proxies that have certificates: one that only passes TLS through has none. */
  readonly proxies: number;
  readonly lagging: readonly LaggingProxy[];
}

/** The certificates of an Envoy: the leaf it presents, and the roots it trusts. */
export interface EnvoyCertificates {
  readonly leaf: X509Certificate;
  /** The CAs that it presents with the leaf. */
  readonly above: readonly X509Certificate[];
  readonly anchors: readonly X509Certificate[];
}

const proxyContainer = 'istio-proxy';
const dump = ['pilot-agent', 'request', 'GET', 'config_dump?resource=dynamic_active_secrets'];
const concurrency = 4;
const waitMs = 300_000;
const intervalMs = 1_000;

/**
 * Asks every running proxy of a cluster for the certificates that its Envoy holds, and compares them with the cluster's CA: the
 * leaf is signed by it (or, when others renew it, by any CA of the same root), and exactly its roots are trusted.
 */
export async function checkProxies(
  client: KubeClient,
  { certificate, roots, state }: LiveCa,
  signal?: AbortSignal,
): Promise<ProxyTrust> {
  const signer = certificate === undefined ? undefined : signerOf(client, certificate);
  const wanted = parseCertificates(roots) ?? [];
  const pods = await runningProxies(client, signal);
  const looks = await pool(pods, concurrency, async (pod) => {
    const { namespace = '', name } = pod.metadata;
    const found = (because: string) => ({ pod: `${namespace}/${name}`, because });
    try {
      const answer = await execInPod(client, { namespace, pod: name, name: proxyContainer }, dump, signal);
      const held = readSecrets(JSON.parse(answer) as unknown);
      if (held === undefined) return 'none';
      const signed =
        state.issuer === undefined && signer !== undefined
          ? held.leaf.verify(signer.publicKey)
          : isSignedUnder(held, wanted);
      if (!signed) return found('its certificate is not signed by the CA of its cluster');
      return sameCertificates(held.anchors, wanted) ? 'current' : found('it trusts other roots');
    } catch (error) {
      signal?.throwIfAborted();
      // A pod may end meanwhile; the next check then does not list it as running.
      return found(
        error instanceof ProblemsError ? (error.problems[0]?.what ?? '') : 'its answer is not JSON',
      );
    }
  });
  const lagging = looks.filter((look) => typeof look === 'object');
  return {
    cluster: client.cluster,
    state,
    proxies: looks.filter((look) => look !== 'none').length,
    lagging,
  };
}

/** `2 proxies do not have the current certificates: shop/a (why), shop/b (why)` */
export function describeLagging(lagging: readonly LaggingProxy[]): string {
  const shown = lagging.slice(0, 5).map(({ pod, because }) => `${pod} (${because})`);
  const more = lagging.length > shown.length ? ` and ${lagging.length - shown.length} more` : '';
  const noun = lagging.length === 1 ? 'proxy does' : 'proxies do';
  return `${lagging.length} ${noun} not have the current certificates: ${shown.join(', ')}${more}`;
}

/**
 * Waits until every proxy of every cluster has the certificates of the cluster's CA. Both engines call this after
 * the apply; the next step of a rotation begins with the same check (trust-preflight.ts).
 * @returns the state of each cluster's proxies.
 * @throws ProblemsError (exit 1) after five minutes, with the proxies that lack them.
 */
export async function awaitTrust(
  clients: readonly KubeClient[],
  namespace: string,
  report: (line: string) => void,
  signal?: AbortSignal,
): Promise<readonly ProxyTrust[]> {
  return Promise.all(
    clients.map((client) => {
      const what = `cluster ${client.cluster}: certificates of every proxy`;
      let before = '';
      return waitFor({ what, timeoutMs: waitMs, intervalMs, ...(signal && { signal }) }, async () => {
        const ca = await readCa(client, namespace, signal);
        if (ca === undefined)
          return {
            done: false,
            because: 'there is no Secret cacerts, and no istiod has published the roots of a volume',
          };
        const seen = await checkProxies(client, ca, signal);
        const progress = `${seen.proxies - seen.lagging.length} of ${seen.proxies} proxies`;
        if (seen.lagging.length === 0) return { done: true, value: seen };
        if (progress !== before) report(`${what}: waiting, ${progress} have them`);
        before = progress;
        return { done: false, because: describeLagging(seen.lagging) };
      });
    }),
  );
}

async function runningProxies(
  client: KubeClient,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const type = await client.typeOf('v1', 'Pod', signal);
  if (type === undefined) return [];
  const pods = await client.list(type, { ...(signal && { signal }) });
  return pods.filter(
    (pod) =>
      field(pod, 'metadata', 'deletionTimestamp') === undefined &&
      ['initContainerStatuses', 'containerStatuses'].some((kind) =>
        list(pod, 'status', kind).some(
          (status) =>
            text(status, 'name') === proxyContainer && field(status, 'state', 'running') !== undefined,
        ),
      ),
  );
}

/**
 * Envoy's dump of its dynamic secrets (https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump_shared.proto):
 * `default` is the workload's certificate, and `ROOTCA` its trusted roots. Undefined for a proxy without certificates.
 */
export function readSecrets(configDump: unknown): EnvoyCertificates | undefined {
  const secrets = list(configDump, 'configs').map((config) => field(config, 'secret'));
  const pem = (name: string, ...path: readonly string[]) => {
    const secret = secrets.find((one) => text(one, 'name') === name);
    return Buffer.from(text(secret, ...path, 'inline_bytes') ?? '', 'base64').toString('utf8');
  };
  const [leaf, ...above] = parseCertificates(pem('default', 'tls_certificate', 'certificate_chain')) ?? [];
  if (leaf === undefined) return undefined;
  return { leaf, above, anchors: parseCertificates(pem('ROOTCA', 'validation_context', 'trusted_ca')) ?? [] };
}

/**
 * Whether a leaf chains to one of these roots. When an issuer or a vault renews the CA, proxies keep certificates signed by
 * the previous CA for hours, and that CA stays valid for months.
 */
function isSignedUnder({ leaf, above }: EnvoyCertificates, roots: readonly X509Certificate[]): boolean {
  let current = leaf;
  for (const next of [...above, undefined]) {
    if (roots.some((root) => current.checkIssued(root) && current.verify(root.publicKey))) return true;
    if (next === undefined || !current.checkIssued(next) || !current.verify(next.publicKey)) return false;
    current = next;
  }
  return false;
}

function signerOf({ cluster }: KubeClient, certificate: string): X509Certificate {
  const [signer] = parseCertificates(certificate) ?? [];
  if (signer === undefined) throw new Error(`${cluster}: the certificate in cacerts cannot be parsed`);
  return signer;
}
