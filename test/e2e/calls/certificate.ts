import { makeAuthority } from './authority.ts';

/**
 * A Secret of the ingress gateways with a certificate for a host, and the certificate of the authority that signed it.
 * @param secret - its name
 */
export async function makeCertificate(
  host: string,
  secret: string,
): Promise<{ ca: string; manifest: string }> {
  const { ca, issue } = await makeAuthority();
  const { cert, key } = await issue(host);
  const manifest = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: secret, namespace: 'istio-ingress' },
    stringData: { 'tls.crt': cert, 'tls.key': key },
  };
  return { ca, manifest: JSON.stringify(manifest) };
}
