import { existsSync, readFileSync } from 'node:fs';
import { ProblemsError } from '../../core/problem.ts';
import { parseCertificates, pathFindings } from '../trust/pem.ts';

/**
 * Reads the roots that the proxies of an exported tree trust: self-signed CA certificates, and no private key.
 * @returns the certificates as PEM in the order of the file, without any text between them.
 * @throws ProblemsError (exit 2) with all problems of the file.
 */
export function readTrustRoots(file: string, now = new Date()): string {
  const refuse = (...whats: readonly string[]): never => {
    throw new ProblemsError(
      whats.map((what) => ({
        where: '--trust-roots',
        what,
        received: file,
        allowed: 'a file with the root certificates in PEM, the one that signs first',
      })),
    );
  };
  if (!existsSync(file)) return refuse('there is no such file');
  const content = readFileSync(file, 'utf8');
  // The tree may be public.
  if (content.includes('PRIVATE KEY')) return refuse('holds a private key');
  const roots = parseCertificates(content);
  if (roots === undefined) return refuse('contains no certificate, or one that cannot be parsed');
  const findings = roots.flatMap((certificate, index) => {
    const name = `certificate ${index + 1}`;
    if (!certificate.checkIssued(certificate) || !certificate.verify(certificate.publicKey))
      return [`${name} is not a root: it is not signed by itself`];
    return pathFindings([{ name, certificate }], now);
  });
  if (findings.length > 0) return refuse(...findings);
  return roots.map((certificate) => certificate.toString()).join('');
}
