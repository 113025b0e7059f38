import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPublicKey, randomBytes, webcrypto } from 'node:crypto';

/** A certification authority's certificate and private key (PKCS #8), both PEM. */
export interface CertificateAuthority {
  readonly certificate: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const day = 24 * 60 * 60 * 1000;
const rootDays = 3650;
const intermediateDays = 365;
/** Certificates are valid from a little before now, because the clocks of clusters differ. */
const clockSkewMs = 5 * 60 * 1000;

/**
 * Creates the mesh's root CA: EC P-256, valid ten years, may sign CAs that sign only workloads.
 * @param key - an existing private key (PKCS #8 PEM). @default - a new one
 */
export async function createRoot(
  mesh: string,
  now = new Date(),
  key?: string,
): Promise<CertificateAuthority> {
  const keys = key === undefined ? await generateKeys() : await keysOf(key);
  const name = `O=Istio, CN=Root CA, OU=${mesh}`;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name,
      ...validity(now, rootDays),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return { certificate: pem(certificate), key: key ?? (await exportKey(keys.privateKey)) };
}

/**
 * Creates a cluster's intermediate CA, signed by the root: EC P-256, valid one year, signs workload certificates only
 * (pathLen 0). Subject and DNS name follow Istio's "Plug in CA Certificates".
 */
export async function createIntermediate(
  root: CertificateAuthority,
  cluster: string,
  controlPlaneNamespace: string,
  now = new Date(),
): Promise<CertificateAuthority> {
  const issuer = new x509.X509Certificate(root.certificate);
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: `O=Istio, CN=Intermediate CA, L=${cluster}`,
      issuer: issuer.subject,
      ...validity(now, intermediateDays),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: await importKey(root.key),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: `istiod.${controlPlaneNamespace}.svc` },
        ]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ],
    },
    webcrypto,
  );
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function keysOf(key: string): Promise<webcrypto.CryptoKeyPair> {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const publicKey = await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']);
  return { privateKey: await importKey(key), publicKey };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

function importKey(key: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(key), algorithm, false, ['sign']);
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(now.getTime() - clockSkewMs),
    notAfter: new Date(now.getTime() + days * day),
  };
}

/** RFC 5280, section 4.1.2.2: positive, at most 20 octets. */
function serialNumber(): string {
  return `01${randomBytes(15).toString('hex')}`;
}
