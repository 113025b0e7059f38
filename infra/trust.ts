import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { secretMode, writeFileAtomic } from '../core/files.ts';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import type { Problem } from '../core/problem.ts';
import { createIntermediate, createRoot } from './certificates.ts';
import type { CertificateAuthority } from './certificates.ts';
import { labelManaged, text } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

/** What a cluster's istiod signs workload certificates with; `key` is a secret. */
export interface ClusterTrust extends CertificateAuthority {
  readonly rootCertificate: string;
  /** End of the intermediate's validity. */
  readonly notAfter: Date;
}

const folderMode = 0o700;
const rootCertificateFile = 'root-cert.pem';

/**
 * Reads the mesh's trust, and makes what is missing: `root-cert.pem` and `root-key.pem`, and per cluster a folder with
 * `ca-cert.pem`, `ca-key.pem`, `cert-chain.pem` and `root-cert.pem` (the file names of Istio's "Plug in CA
 * Certificates"). The root's key is needed only to make an intermediate: it may be kept elsewhere otherwise.
 * @throws ProblemsError for certificates that are expired, unreadable or do not belong together.
 */
export async function ensureTrust(
  directory: string,
  mesh: string,
  clusters: readonly string[],
  controlPlaneNamespace: string,
  now = new Date(),
): Promise<Readonly<Record<string, ClusterTrust>>> {
  makeFolder(directory);
  const rootCertificate = await ensureRoot(directory, mesh, now);
  for (const cluster of clusters) {
    if (!existsSync(join(directory, cluster))) {
      const root = { certificate: rootCertificate, key: readRootKey(directory, rootCertificate, cluster) };
      const made = await createIntermediate(root, cluster, controlPlaneNamespace, now);
      writeIntermediate(directory, cluster, rootCertificate, made);
    }
  }
  const problems: Problem[] = [];
  const trust: Record<string, ClusterTrust> = {};
  for (const cluster of clusters) {
    const read = readIntermediate(join(directory, cluster), cluster, rootCertificate, now);
    if ('problem' in read) problems.push(read.problem);
    else trust[cluster] = read.trust;
  }
  throwIfAny(problems);
  return trust;
}

/** The Secret `cacerts` that istiod of this mesh reads its CA from. */
export function cacertsSecret(mesh: string, namespace: string, trust: ClusterTrust): KubeObject {
  const files = { 'ca-cert.pem': trust.certificate, 'ca-key.pem': trust.key, ...chainFiles(trust) };
  const data = Object.fromEntries(
    Object.entries(files).map(([name, content]) => [name, Buffer.from(content).toString('base64')]),
  );
  return labelManaged({ ...cacertsKey(namespace), type: 'Opaque', data }, mesh);
}

/** What finds the Secret `cacerts`. */
export function cacertsKey(namespace: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cacerts', namespace } };
}

/** Whether a live Secret `cacerts` is of a mesh with another root; one that is missing is of no mesh. */
export function hasOtherRoot(live: KubeObject | undefined, rootCertificate: string): boolean {
  if (live === undefined) return false;
  const root = Buffer.from(text(live, 'data', 'root-cert.pem') ?? '', 'base64').toString('utf8');
  return root.trim() !== rootCertificate.trim();
}

/** The root certificate in the trust folder; undefined when there is none. */
export function readRootCertificate(directory: string): string | undefined {
  const file = join(directory, rootCertificateFile);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function chainFiles(trust: Pick<ClusterTrust, 'certificate' | 'rootCertificate'>): Record<string, string> {
  return {
    'cert-chain.pem': `${trust.certificate}${trust.rootCertificate}`,
    'root-cert.pem': trust.rootCertificate,
  };
}

async function ensureRoot(directory: string, mesh: string, now: Date): Promise<string> {
  const certificateFile = join(directory, rootCertificateFile);
  if (!existsSync(certificateFile)) {
    const root = await createRoot(mesh, now);
    // The key comes first: a key without a certificate is an interrupted start and has signed nothing.
    writeFileAtomic(join(directory, 'root-key.pem'), root.key, secretMode);
    writeFileAtomic(certificateFile, root.certificate, secretMode);
  }
  const renew = `move ${directory} away and run the command again: every cluster gets a new CA`;
  const content = readFileSync(certificateFile, 'utf8');
  const certificate = parse(content);
  if (certificate === undefined)
    throw new ProblemsError([{ where: certificateFile, what: 'is not a PEM certificate', fix: renew }]);
  if (certificate.validToDate <= now) {
    throw new ProblemsError([
      {
        where: certificateFile,
        what: `the root CA expired on ${certificate.validToDate.toISOString()}`,
        fix: renew,
      },
    ]);
  }
  return content;
}

function readRootKey(directory: string, rootCertificate: string, cluster: string): string {
  const file = join(directory, 'root-key.pem');
  if (!existsSync(file)) {
    throw new ProblemsError([
      {
        where: file,
        what: `is missing, and cluster ${cluster} needs a CA signed by it`,
        fix: 'put the root key back for this run',
      },
    ]);
  }
  const key = readFileSync(file, 'utf8');
  if (!isPair(new X509Certificate(rootCertificate), key)) {
    throw new ProblemsError([
      {
        where: file,
        what: 'is not the private key of root-cert.pem beside it',
        fix: 'put the right root key there',
      },
    ]);
  }
  return key;
}

/** Written beside its place and moved there as a whole, so that a folder of a cluster is always complete. */
function writeIntermediate(
  directory: string,
  cluster: string,
  rootCertificate: string,
  made: CertificateAuthority,
): void {
  const temporary = join(directory, `.${cluster}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    makeFolder(temporary);
    const files = {
      'ca-cert.pem': made.certificate,
      'ca-key.pem': made.key,
      ...chainFiles({ certificate: made.certificate, rootCertificate }),
    };
    for (const [name, content] of Object.entries(files))
      writeFileAtomic(join(temporary, name), content, secretMode);
    renameSync(temporary, join(directory, cluster));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function readIntermediate(
  folder: string,
  cluster: string,
  rootCertificate: string,
  now: Date,
): { readonly trust: ClusterTrust } | { readonly problem: Problem } {
  const wrong = (what: string) => ({
    problem: {
      where: folder,
      what,
      fix: `delete this folder and run the command again: cluster ${cluster} gets a new CA from the same root`,
    },
  });
  const certificateFile = join(folder, 'ca-cert.pem');
  const keyFile = join(folder, 'ca-key.pem');
  if (!existsSync(certificateFile) || !existsSync(keyFile))
    return wrong('ca-cert.pem or ca-key.pem is missing');
  const content = readFileSync(certificateFile, 'utf8');
  const key = readFileSync(keyFile, 'utf8');
  const certificate = parse(content);
  if (certificate === undefined) return wrong('ca-cert.pem is not a PEM certificate');
  if (!isPair(certificate, key)) return wrong('ca-key.pem is not the private key of ca-cert.pem');
  if (!certificate.verify(new X509Certificate(rootCertificate).publicKey)) {
    return wrong('ca-cert.pem is not signed by root-cert.pem in the folder above');
  }
  if (certificate.validToDate <= now)
    return wrong(`the CA expired on ${certificate.validToDate.toISOString()}`);
  return { trust: { certificate: content, key, rootCertificate, notAfter: certificate.validToDate } };
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** An unreadable key is no pair; its content must not reach an error text. */
function isPair(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: folderMode });
  chmodSync(path, folderMode);
}
