import type { KubeClient } from '../kube/kube-client.ts';
import { text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { CaVolume, TrustSettings } from '../plan/stack-config.ts';
import { caVolumeOf } from './ca-volume.ts';
import { cacertsKey, readCacerts } from './objects.ts';
import { initialTrust, readTrustState } from './state.ts';

/** What a cluster's control plane signs with, as far as the cluster's API tells. */
export interface LiveCa {
  readonly state: TrustSettings;
  /** The certificate that signs, in PEM. @default - not in the API: the CA is in a volume */
  readonly certificate?: string;
  /** The roots that proxies are to trust, in PEM. */
  readonly roots: string;
}

/** The CA of a live Secret `cacerts`. */
export function caOfSecret(cacerts: KubeObject): LiveCa {
  return { state: readTrustState(cacerts), ...readCacerts(cacerts) };
}

/**
 * The CA of a cluster: of its Secret `cacerts`, or of the volume that its istiods read, of which only the roots are published.
 * Undefined where there is neither, or where istiod has not published the roots yet.
 */
export async function readCa(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<LiveCa | undefined> {
  const cacerts = await client.get(cacertsKey(namespace), signal);
  if (cacerts !== undefined) return caOfSecret(cacerts);
  const [csi] = (await istiodsOf(client, namespace, signal)).flatMap((one) => caVolumeOf(one) ?? []);
  return csi === undefined ? undefined : readCaOf(client, namespace, csi, signal);
}

/** {@link readCa} of a cluster whose istiods read this volume. */
export async function readCaOf(
  client: KubeClient,
  namespace: string,
  csi: CaVolume,
  signal: AbortSignal | undefined,
): Promise<LiveCa | undefined> {
  const roots = text(await client.get(rootsKey(namespace), signal), 'data', 'root-cert.pem');
  return roots === undefined ? undefined : { state: { ...initialTrust, csi }, roots };
}

/** The Deployments of a cluster's istiods, of every revision. */
export async function istiodsOf(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const type = await client.typeOf('apps/v1', 'Deployment', signal);
  if (type === undefined) return [];
  return client.list(type, { namespace, labelSelector: 'app=istiod', ...(signal && { signal }) });
}

/** The ConfigMap in which istiod publishes the roots; it writes a copy into every namespace. */
export function rootsKey(namespace: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio-ca-root-cert', namespace } };
}
