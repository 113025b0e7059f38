import { ProblemsError } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { askIstiod, readyIstiods } from '../kube/istiod.ts';
import type { LiveCa } from './live-ca.ts';
import { parseCertificates } from './pem.ts';

/** A gauge of istiod: the end of its CA's certificate, in seconds since 1970 (security/pkg/server/ca/monitoring.go). */
const gauge = /^citadel_server_cert_chain_expiry_timestamp ([0-9.e+]+)$/m;

/**
 * End of the validity of the CA that signs in a cluster. Of one in a volume istiod alone knows; undefined when none of them tells,
 * and when there is no CA.
 */
export async function caSignerEnd(
  client: KubeClient,
  namespace: string,
  ca: LiveCa | undefined,
  signal: AbortSignal | undefined,
): Promise<Date | undefined> {
  if (ca === undefined) return undefined;
  if (ca.certificate !== undefined) return parseCertificates(ca.certificate)?.[0]?.validToDate;
  for (const pod of await readyIstiods(client, namespace, signal)) {
    try {
      const [, seconds] = gauge.exec(await askIstiod(client, namespace, pod, '/metrics', signal)) ?? [];
      if (seconds !== undefined) return new Date(Number(seconds) * 1000);
    } catch (error) {
      // The pod has just ended, or the credentials may not run commands in it.
      if (!(error instanceof ProblemsError)) throw error;
    }
  }
  return undefined;
}
