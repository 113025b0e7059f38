import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const minute = 60_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A certificate with its key, as PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of a test. */
export interface Authority {
  /** Its certificate, as PEM. */
  readonly ca: string;
  /** A certificate for a name, of an hour. */
  readonly issue: (name: string) => Promise<Certified>;
}

/** Makes an authority that nobody knows yet. */
export async function makeAuthority(name = 'authority of a test'): Promise<Authority> {
  const times = { notBefore: new Date(Date.now() - minute), notAfter: new Date(Date.now() + 60 * minute) };
  const caKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...times,
    name: `CN=${name}`,
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const issue = async (host: string): Promise<Certified> => {
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
    return { cert: certificate.toString('pem'), key: String(key.export({ format: 'pem', type: 'pkcs8' })) };
  };
  return { ca: ca.toString('pem'), issue };
}
