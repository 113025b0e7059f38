import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { secretMode, writeFileAtomic } from '../../core/files.ts';
import { throwIfAny } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import { createRoot } from './certificates.ts';
import type { CertificateAuthority } from './certificates.ts';
import { makeFolder, rootCertificateFile } from './intermediate.ts';
import type { Root } from './intermediate.ts';
import { isPair, parseCertificates, pathFindings } from './pem.ts';
import { trustedGenerations } from './state.ts';

const rootKeyFile = 'root-key.pem';

/** A root; `made` has its key when this run created it, whether the key was written to disk or not. */
interface MadeRoot extends Root {
  readonly made?: CertificateAuthority;
}

/** The root certificates of all generations in the trust folder, PEM; empty when there is no such folder. */
export function readRoots(directory: string): readonly string[] {
  return generationFolders(directory)
    .map((folder) => join(folder, rootCertificateFile))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'));
}

/** Files in the trust folder with the key of a root CA: whoever reads one can be any workload of the mesh. */
export function rootKeysIn(directory: string): readonly string[] {
  return generationFolders(directory)
    .map((folder) => join(folder, rootKeyFile))
    .filter((file) => existsSync(file));
}

/** The folders of all generations: the trust folder itself, then those in it. */
export function generationFolders(directory: string): readonly string[] {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return [
    directory,
    ...names.filter((name) => /^generation-[0-9]+$/.test(name)).map((name) => join(directory, name)),
  ];
}

/**
 * The trusted roots, the one that signs first. Creates missing roots.
 * @param write - whether to write created roots to disk
 * @throws ProblemsError (exit 2) with all problems of the existing ones.
 */
export async function settleRoots(
  directory: string,
  mesh: string,
  clusters: readonly string[],
  config: TrustSettings,
  now: Date,
  write: boolean,
): Promise<readonly MadeRoot[]> {
  const folders = trustedGenerations(config).map((generation) =>
    generation === 1 ? directory : join(directory, `generation-${generation}`),
  );
  const isThere = (folder: string) => existsSync(join(folder, rootCertificateFile));
  throwIfAny([
    ...folders.filter(isThere).flatMap((folder) => rootProblem(join(folder, rootCertificateFile), now) ?? []),
    ...folders
      .filter((folder) => !isThere(folder))
      .flatMap((folder) => absentRootProblem(folder, clusters) ?? []),
  ]);
  const roots: MadeRoot[] = [];
  for (const folder of folders) {
    roots.push(
      isThere(folder)
        ? { folder, certificate: readFileSync(join(folder, rootCertificateFile), 'utf8') }
        : await makeRoot(folder, mesh, now, write),
    );
  }
  return roots;
}

function rootProblem(file: string, now: Date): Problem | undefined {
  const fix = 'put the right root certificate there, or begin a new mesh with another trust folder';
  const parsed = parseCertificates(readFileSync(file, 'utf8'));
  const [certificate] = parsed ?? [];
  if (certificate === undefined) return { where: file, what: 'is not a PEM certificate', fix };
  if (parsed?.length !== 1)
    return {
      where: file,
      what: 'holds more than one certificate',
      allowed: 'the root of this generation',
      fix,
    };
  if (!certificate.checkIssued(certificate))
    return { where: file, what: 'is not a root: it is not signed by itself', fix };
  const [finding] = pathFindings([{ name: 'the root CA', certificate }], now);
  return finding === undefined ? undefined : { where: file, what: finding, fix };
}

/** A missing root is created, unless CAs beside it show that it exists elsewhere. */
function absentRootProblem(folder: string, clusters: readonly string[]): Problem | undefined {
  const own = clusters.filter((cluster) => existsSync(join(folder, cluster)));
  if (own.length > 0) {
    return {
      where: join(folder, rootCertificateFile),
      what: `is missing, but signed the CAs of ${own.join(', ')} beside it`,
      fix: 'put the root certificate that signed them there',
    };
  }
  const file = join(folder, rootKeyFile);
  if (!existsSync(file)) return undefined;
  try {
    createPrivateKey(readFileSync(file));
    return undefined;
  } catch {
    return {
      where: file,
      what: 'is not a private key in PEM, and has no root-cert.pem beside it',
      fix: 'put the PEM root key into this file and its certificate into root-cert.pem beside it, or move the file away',
    };
  }
}

async function makeRoot(folder: string, mesh: string, now: Date, write: boolean): Promise<MadeRoot> {
  const keyFile = join(folder, rootKeyFile);
  // The key is written first: a key without a certificate is left by an interrupted run, and is used again.
  const key = existsSync(keyFile) ? readFileSync(keyFile, 'utf8') : undefined;
  const made = await createRoot(mesh, now, key);
  if (write) {
    makeFolder(folder);
    if (key === undefined) writeFileAtomic(keyFile, made.key, secretMode);
    writeFileAtomic(join(folder, rootCertificateFile), made.certificate, secretMode);
  }
  return { folder, certificate: made.certificate, made };
}

/**
 * A root with its key, to sign the CAs of these clusters.
 * @throws ProblemsError (exit 2) when the key is missing or does not belong to the root.
 */
export function withKey(
  { folder, certificate, made }: MadeRoot,
  clusters: readonly string[],
): CertificateAuthority {
  if (made !== undefined) return made;
  const file = join(folder, rootKeyFile);
  const names = clusters.length === 1 ? 'cluster' : 'clusters';
  if (!existsSync(file)) {
    throwIfAny([
      {
        where: file,
        what: `is missing, but is needed to sign a CA for ${names} ${clusters.join(', ')}`,
        fix: `put the root key there for this run, or CAs of your own into the folders of the ${names}`,
      },
    ]);
  }
  const key = readFileSync(file, 'utf8');
  const [parsed] = parseCertificates(certificate) ?? [];
  if (parsed === undefined || !isPair(parsed, key)) {
    throwIfAny([
      {
        where: file,
        what: 'is not the private key of root-cert.pem beside it',
        fix: 'put the right root key there',
      },
    ]);
  }
  return { certificate, key };
}
