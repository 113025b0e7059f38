import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';

export interface MadeCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface CertificateShape {
  readonly name: string;
  /** @default true */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** The name of a server that has it. @default - it is no server's */
  readonly host?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** @default - signed by itself */
  readonly issuer?: MadeCertificate;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const day = 24 * 60 * 60 * 1000;

function usagesOf(ca: boolean, host: string | undefined): x509.KeyUsageFlags {
  if (host !== undefined) return x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature;
  return ca ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature;
}

/** A real certificate of any shape, right or wrong. */
export async function makeCertificate(shape: CertificateShape): Promise<MadeCertificate> {
  const { name, ca = true, pathLength, host, issuer } = shape;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.create(
    {
      subject: `CN=${name}`,
      issuer: issuer === undefined ? `CN=${name}` : new x509.X509Certificate(issuer.certificate).subject,
      notBefore: shape.notBefore ?? new Date(Date.now() - day),
      notAfter: shape.notAfter ?? new Date(Date.now() + day),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: (issuer?.keys ?? keys).privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(ca, pathLength, true),
        new x509.KeyUsagesExtension(usagesOf(ca, host), true),
        ...(host === undefined
          ? []
          : [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])]),
      ],
    },
    webcrypto,
  );
  const key = x509.PemConverter.encode(
    await webcrypto.subtle.exportKey('pkcs8', keys.privateKey),
    'PRIVATE KEY',
  );
  return { certificate: `${made.toString('pem')}\n`, key: `${key}\n`, keys };
}
