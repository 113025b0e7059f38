import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { secretMode, writeFileAtomic } from '../../core/files.ts';
import { throwIfAny } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { TrustSettings } from '../stack-config.ts';
import { createIntermediate, createRoot } from './certificates.ts';
import { makeFolder, readIntermediate, rootCertificateFile, writeIntermediate } from './intermediate.ts';
import type { IntermediateCa, Root } from './intermediate.ts';
import { isPair, parseCertificates, pathFindings } from './pem.ts';
import { configProblems, initialTrust, trustedGenerations } from './state.ts';

/** What a cluster's istiod signs workload certificates with, and what its proxies trust; `key` is a secret. */
export interface ClusterTrust extends IntermediateCa {
  /** PEM of every trusted root; the one that signs comes first. */
  readonly roots: string;
  readonly state: TrustSettings;
}

const rootKeyFile = 'root-key.pem';

/**
 * Reads the mesh's trust in the state that the configuration wants, and makes what is missing. A generation of the root is
 * a folder with `root-cert.pem` and `root-key.pem` (which is needed only to sign a CA, and may be kept elsewhere otherwise), and
 * per cluster a folder with `ca-cert.pem`, `ca-key.pem`, `cert-chain.pem` and `root-cert.pem`, as Istio's "Plug in CA
 * Certificates" names them: own ones are put there. The first generation is the trust folder itself, later ones are
 * `generation-2` and so on beside it; a later intermediate is in `intermediate-2` and so on of its generation. Nothing that is
 * there is ever replaced.
 *
 * Both engines call it through preflightMesh, and give its result to `cacertsSecret`, `trustAnchors` and `withTrust`
 * (objects.ts).
 * @throws ProblemsError (exit 2) with all certificates that are expired, unreadable, no CA or do not belong together.
 */
export async function ensureTrust(
  directory: string,
  mesh: string,
  clusters: readonly string[],
  controlPlaneNamespace: string,
  config = initialTrust,
  now = new Date(),
): Promise<Readonly<Record<string, ClusterTrust>>> {
  throwIfAny(configProblems(config));
  makeFolder(directory);
  const roots = await ensureRoots(directory, mesh, clusters, config, now);
  const [signer] = roots;
  if (signer === undefined) throw new Error('no generation signs');
  const folderOf = (cluster: string) => join(signer.folder, intermediateFolder(config), cluster);
  const missing = clusters.filter((cluster) => !existsSync(folderOf(cluster)));
  const allRoots = roots.map(({ certificate }) => endWithNewline(certificate)).join('');
  const read = (names: readonly string[]) => {
    const found = names.map((name) => ({ name, ...readIntermediate(folderOf(name), name, signer, now) }));
    throwIfAny(found.flatMap(({ problem }) => problem ?? []));
    return found.flatMap(({ name, trust }) =>
      trust === undefined ? [] : [[name, { ...trust, roots: allRoots, state: config }] as const],
    );
  };
  // Nothing is made while something that is there is wrong.
  read(clusters.filter((cluster) => !missing.includes(cluster)));
  if (missing.length > 0) {
    const key = readRootKey(signer, missing);
    for (const cluster of missing) {
      const root = { certificate: signer.certificate, key };
      const made = await createIntermediate(root, cluster, controlPlaneNamespace, now);
      writeIntermediate(folderOf(cluster), signer, made);
    }
  }
  return Object.fromEntries(read(clusters));
}

/** The root certificates of all generations in the trust folder, PEM; none when there is no such folder. */
export function readRoots(directory: string): readonly string[] {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const folders = [directory, ...names.filter(isGeneration).map((name) => join(directory, name))];
  return folders
    .map((folder) => join(folder, rootCertificateFile))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'));
}

function isGeneration(name: string): boolean {
  return /^generation-[0-9]+$/.test(name);
}

function intermediateFolder({ intermediate }: TrustSettings): string {
  return intermediate === 1 ? '.' : `intermediate-${intermediate}`;
}

/** The trusted roots, the one that signs first. */
async function ensureRoots(
  directory: string,
  mesh: string,
  clusters: readonly string[],
  config: TrustSettings,
  now: Date,
): Promise<readonly Root[]> {
  const folders = trustedGenerations(config).map((generation) =>
    generation === 1 ? directory : join(directory, `generation-${generation}`),
  );
  const present = folders.filter((folder) => existsSync(join(folder, rootCertificateFile)));
  const absent = folders.filter((folder) => !present.includes(folder));
  throwIfAny([
    ...present.flatMap((folder) => rootProblem(join(folder, rootCertificateFile), now) ?? []),
    ...absent.flatMap((folder) => absentRootProblem(folder, clusters) ?? []),
  ]);
  for (const folder of absent) await makeRoot(folder, mesh, now);
  return folders.map((folder) => ({
    folder,
    certificate: readFileSync(join(folder, rootCertificateFile), 'utf8'),
  }));
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

/** A root that is not there is made, unless something shows that there is one elsewhere. */
function absentRootProblem(folder: string, clusters: readonly string[]): Problem | undefined {
  const own = clusters.filter((cluster) => existsSync(join(folder, cluster)));
  if (own.length > 0) {
    return {
      where: join(folder, rootCertificateFile),
      what: `is missing, and the CAs of ${own.join(', ')} beside it need it`,
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
      fix: 'put the root key there with its certificate, or move the file away',
    };
  }
}

async function makeRoot(folder: string, mesh: string, now: Date): Promise<void> {
  makeFolder(folder);
  const keyFile = join(folder, rootKeyFile);
  // The key comes first: a key without a certificate is an interrupted start, which goes on with that key.
  const key = existsSync(keyFile) ? readFileSync(keyFile, 'utf8') : undefined;
  const root = await createRoot(mesh, now, key);
  if (key === undefined) writeFileAtomic(keyFile, root.key, secretMode);
  writeFileAtomic(join(folder, rootCertificateFile), root.certificate, secretMode);
}

function readRootKey({ folder, certificate }: Root, clusters: readonly string[]): string {
  const file = join(folder, rootKeyFile);
  const names = clusters.length === 1 ? 'cluster' : 'clusters';
  if (!existsSync(file)) {
    throwIfAny([
      {
        where: file,
        what: `is missing, and a CA of ${names} ${clusters.join(', ')} has to be signed with it`,
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
  return key;
}

function endWithNewline(pem: string): string {
  return `${pem.trim()}\n`;
}
