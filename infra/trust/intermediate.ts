import { X509Certificate, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { secretMode, writeFileAtomic } from '../../core/files.ts';
import type { Problem } from '../../core/problem.ts';
import type { CertificateAuthority } from './certificates.ts';
import { isPair, parseCertificates, pathFindings } from './pem.ts';

/** A cluster's CA, as stored in its folder. */
export interface IntermediateCa extends CertificateAuthority {
  /** PEM of the CA and the CAs above it, up to the root that signs. */
  readonly chain: string;
  /** End of the CA's validity. */
  readonly notAfter: Date;
}

/** A generation of the root: its folder, and its certificate in PEM. */
export interface Root {
  readonly folder: string;
  readonly certificate: string;
}

export const rootCertificateFile = 'root-cert.pem';
const folderMode = 0o700;

/** Writes a temporary folder and renames it, so that the folder of a cluster is always complete. */
export function writeIntermediate(folder: string, root: Root, made: CertificateAuthority): void {
  const parent = join(folder, '..');
  makeFolder(parent);
  const temporary = join(parent, `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    makeFolder(temporary);
    const files = {
      'ca-cert.pem': made.certificate,
      'ca-key.pem': made.key,
      'cert-chain.pem': `${made.certificate}${root.certificate}`,
      [rootCertificateFile]: root.certificate,
    };
    for (const [name, content] of Object.entries(files))
      writeFileAtomic(join(temporary, name), content, secretMode);
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** A CA that the root itself signed, in the form that {@link readIntermediate} returns once it is written. */
export function caOf(made: CertificateAuthority, root: Root): IntermediateCa {
  const path = [made, root].map(({ certificate }) => new X509Certificate(certificate));
  return {
    ...made,
    chain: path.map((certificate) => certificate.toString()).join(''),
    notAfter: new X509Certificate(made.certificate).validToDate,
  };
}

interface Found {
  readonly trust?: IntermediateCa;
  readonly problem?: Problem;
}

/** Reads a cluster's CA and checks it up to the root: returns the CA, or the first problem with it. */
export function readIntermediate(folder: string, cluster: string, root: Root, now: Date): Found {
  const wrong = (what: string): Found => ({
    problem: {
      where: folder,
      what,
      fix: `put a CA of cluster ${cluster} there that is signed by this mesh's root, or move the folder away to get a new one`,
    },
  });
  const files = Object.fromEntries(
    ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', rootCertificateFile].map((name) => {
      const file = join(folder, name);
      return [name, existsSync(file) ? readFileSync(file, 'utf8') : undefined];
    }),
  );
  const [content, key] = [files['ca-cert.pem'], files['ca-key.pem']];
  if (content === undefined || key === undefined) return wrong('ca-cert.pem or ca-key.pem is missing');
  const [certificate] = parseCertificates(content) ?? [];
  if (certificate === undefined) return wrong('ca-cert.pem is not a PEM certificate');
  if (!isPair(certificate, key)) return wrong('ca-key.pem is not the private key of ca-cert.pem');
  const [signer] = parseCertificates(root.certificate) ?? [];
  if (signer === undefined) throw new Error(`${root.folder}: the root certificate cannot be parsed`);
  const own = files[rootCertificateFile];
  if (own !== undefined && parseCertificates(own)?.[0]?.fingerprint256 !== signer.fingerprint256)
    return wrong('its root-cert.pem is not the root of the mesh, which all clusters share');
  const between = files['cert-chain.pem'] === undefined ? [] : parseCertificates(files['cert-chain.pem']);
  if (between === undefined) return wrong('cert-chain.pem is not a PEM certificate');
  const above = between.filter(
    ({ fingerprint256 }) => ![certificate, signer].some((known) => known.fingerprint256 === fingerprint256),
  );
  const path = [
    { name: 'ca-cert.pem', certificate },
    ...above.map((one, index) => ({ name: `CA ${index + 2} of cert-chain.pem`, certificate: one })),
    { name: "the mesh's root-cert.pem", certificate: signer },
  ];
  const [finding] = pathFindings(path, now);
  if (finding !== undefined) return wrong(finding);
  const chain = path.map((one) => one.certificate.toString()).join('');
  return { trust: { certificate: content, key, chain, notAfter: certificate.validToDate } };
}

/** Creates a folder that only its owner may read. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: folderMode });
  chmodSync(path, folderMode);
}
