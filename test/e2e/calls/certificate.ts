import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const minute = 60_000;

/**
 * A Secret of the ingress gateways with a certificate for a host, and the certificate of the authority that signed it.
 * @param secret - its name
 */
export async function makeCertificate(
  host: string,
  secret: string,
): Promise<{ ca: string; manifest: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const times = { notBefore: new Date(Date.now() - minute), notAfter: new Date(Date.now() + 60 * minute) };
  const caKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...times,
    name: 'CN=authority of a test',
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    ...times,
    subject: `CN=${host}`,
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
  });
  const exported = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: exported, format: 'der', type: 'pkcs8' });
  const manifest = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: secret, namespace: 'istio-ingress' },
    stringData: {
      'tls.crt': certificate.toString('pem'),
      'tls.key': key.export({ format: 'pem', type: 'pkcs8' }),
    },
  };
  return { ca: ca.toString('pem'), manifest: JSON.stringify(manifest) };
}
