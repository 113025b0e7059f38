import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { trustAnchorsName } from '../../charts/constructs/scope/names.ts';
import { labelManaged, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { PlannedSecret } from '../plan/plan.ts';
import type { ClusterTrust } from './folder.ts';
import { parseCertificates } from './pem.ts';
import { trustAnnotations } from './state.ts';

/** Annotation of istiod's pods: which CA they started with. */
export const trustChecksum = 'checksum/meshwright-trust';

/**
 * The object that the driver applies for a planned object of trust: `cacerts` before a cluster's istiod, and the trust
 * anchors, which are not secret, once the istiods of all clusters are ready.
 */
export function trustObject(
  planned: Extract<PlannedSecret, { kind: 'cacerts' | 'trust-anchors' }>,
  mesh: string,
  trust: ClusterTrust,
): KubeObject {
  return planned.kind === 'cacerts'
    ? cacertsSecret(mesh, planned.namespace, trust)
    : trustAnchors(mesh, planned.namespace, trust);
}

/** The Secret `cacerts` that istiod of this mesh reads its CA from; its annotations say which trust state it belongs to. */
export function cacertsSecret(mesh: string, namespace: string, trust: ClusterTrust): KubeObject {
  const files = {
    'ca-cert.pem': trust.certificate,
    'ca-key.pem': trust.key,
    'cert-chain.pem': trust.chain,
    'root-cert.pem': trust.roots,
  };
  const data = Object.fromEntries(
    Object.entries(files).map(([name, content]) => [name, Buffer.from(content).toString('base64')]),
  );
  const key = cacertsKey(namespace);
  const metadata = { ...key.metadata, annotations: trustAnnotations(trust.state) };
  return labelManaged({ ...key, metadata, type: 'Opaque', data }, mesh);
}

/** Identifies the Secret `cacerts`. */
export function cacertsKey(namespace: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cacerts', namespace } };
}

/**
 * Mesh configuration that every istiod adds to its own (SHARED_MESH_CONFIG) and sends to the proxies as their trust anchors.
 * A proxy's agent requests a new certificate when the anchors' text changes; so the text names the CA that signs, and a new
 * intermediate reaches the proxies without a restart. Apply it only when every istiod has that CA.
 */
export function trustAnchors(mesh: string, namespace: string, trust: ClusterTrust): KubeObject {
  return anchorsOf(mesh, namespace, `# signed by the CA ${checksum(trust)}\n${trust.roots}`);
}

/** {@link trustAnchors} from any text that contains the trusted roots in PEM. */
export function anchorsOf(mesh: string, namespace: string, pem: string): KubeObject {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: trustAnchorsName, namespace },
    data: { mesh: stringify({ caCertificates: [{ pem }] }) },
  };
  return labelManaged(object, mesh);
}

/**
 * The objects of an Istio release, with the CA's checksum on istiod's Deployments of every revision. Another CA rolls them
 * out, so once they are ready all of them use it. (Without a rollout, each would notice at its own time, within some 90
 * seconds.)
 */
export function withTrust(release: readonly KubeObject[], trust: ClusterTrust): readonly KubeObject[] {
  return release.map((object) => {
    if (object.kind !== 'Deployment' || object.metadata.labels?.['app'] !== 'istiod') return object;
    const { spec } = object as KubeObject & { readonly spec: PodOwner };
    const { metadata = {} } = spec.template;
    const annotations = { ...metadata.annotations, [trustChecksum]: checksum(trust) };
    return {
      ...object,
      spec: { ...spec, template: { ...spec.template, metadata: { ...metadata, annotations } } },
    };
  });
}

interface PodOwner {
  readonly template: {
    readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  };
}

/** Computed from certificates only, which are public. */
function checksum({ certificate, roots }: ClusterTrust): string {
  return createHash('sha256').update(`${certificate}${roots}`).digest('hex').slice(0, 16);
}

/** The content of a live Secret `cacerts`, in PEM. */
export interface Cacerts {
  /** The certificate that signs; cert-manager adds the CAs above it. */
  readonly certificate: string;
  readonly roots: string;
}

/** Reads a live Secret `cacerts` in either of the two forms that istiod reads; istiod prefers cert-manager's. */
export function readCacerts(live: KubeObject): Cacerts {
  const file = (name: string) => Buffer.from(text(live, 'data', name) ?? '', 'base64').toString('utf8');
  return text(live, 'data', 'tls.crt') === undefined
    ? { certificate: file('ca-cert.pem'), roots: file('root-cert.pem') }
    : { certificate: file('tls.crt'), roots: file('ca.crt') };
}

/** Whether a live Secret `cacerts` contains a root that is not among these; false when there is no Secret. */
export function hasOtherRoot(live: KubeObject | undefined, roots: readonly string[]): boolean {
  if (live === undefined) return false;
  const fingerprints = (pem: string) => (parseCertificates(pem) ?? []).map((one) => one.fingerprint256);
  const known = new Set(roots.flatMap(fingerprints));
  const held = fingerprints(readCacerts(live).roots);
  return held.length === 0 || held.some((fingerprint) => !known.has(fingerprint));
}
