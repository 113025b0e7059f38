import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { X509Certificate, createPrivateKey } from 'node:crypto';

/** A certificate of a chain, with the name that errors use for it. */
export interface NamedCertificate {
  readonly name: string;
  readonly certificate: X509Certificate;
}

/** The certificates of a PEM text; undefined when there is none, or when one cannot be parsed. */
export function parseCertificates(pem: string): readonly X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
  try {
    return blocks?.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

/** Whether the key belongs to the certificate; false for an unreadable key, whose content must not reach an error text. */
export function isPair(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/**
 * Checks a path of CAs, from the one that signs workloads to the root: validity, whether each is a CA, the signatures, and
 * the path length (RFC 5280, section 4.2.1.9). Returns at most one finding per certificate.
 */
export function pathFindings(path: readonly NamedCertificate[], now: Date): readonly string[] {
  return path.flatMap(({ name, certificate }, below) => {
    const issuer = path[below + 1];
    if (certificate.validToDate <= now)
      return [`${name} expired on ${certificate.validToDate.toISOString()}`];
    if (certificate.validFromDate > now)
      return [`${name} is not valid before ${certificate.validFromDate.toISOString()}`];
    if (!certificate.ca) return [`${name} is not the certificate of a CA`];
    if (issuer !== undefined && !isIssuedBy(certificate, issuer.certificate))
      return [`${name} is not signed by ${issuer.name}`];
    const allowed = pathLength(certificate);
    if (allowed !== undefined && allowed < below)
      return [`${name} allows ${allowed} CAs below it (path length), but has ${below}`];
    return [];
  });
}

/** Whether two lists hold the same certificates, in any order. */
export function sameCertificates(
  some: readonly X509Certificate[],
  others: readonly X509Certificate[],
): boolean {
  const prints = (all: readonly X509Certificate[]) => new Set(all.map((one) => one.fingerprint256));
  const [a, b] = [prints(some), prints(others)];
  return a.size === b.size && [...a].every((print) => b.has(print));
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function pathLength(certificate: X509Certificate): number | undefined {
  const parsed = new x509.X509Certificate(certificate.raw);
  return parsed.getExtension(x509.BasicConstraintsExtension)?.pathLength;
}
