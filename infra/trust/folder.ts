import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { takeLock } from '../../core/lock.ts';
import { throwIfAny } from '../../core/problem.ts';
import type { TrustSettings } from '../plan/stack-config.ts';
import { createIntermediate } from './certificates.ts';
import { caOf, makeFolder, readIntermediate, writeIntermediate } from './intermediate.ts';
import type { IntermediateCa } from './intermediate.ts';
import { generationFolders, settleRoots, withKey } from './roots.ts';
import { configProblems, initialTrust } from './state.ts';

/** The CA that a cluster's istiod signs workload certificates with, and the roots its proxies trust; `key` is a secret. */
export interface ClusterTrust extends IntermediateCa {
  /** PEM of every trusted root; the one that signs comes first. */
  readonly roots: string;
  readonly state: TrustSettings;
}

/**
 * Reads the mesh's trust in the state that the configuration wants, and creates missing CAs. A generation of the root is
 * a folder with `root-cert.pem` and `root-key.pem` (needed only to sign a CA, and otherwise best kept elsewhere), and one
 * folder per cluster with `ca-cert.pem`, `ca-key.pem`, `cert-chain.pem` and `root-cert.pem`, as Istio's "Plug in CA
 * Certificates" names them. Put CAs of your own there. The first generation is the trust folder itself; later ones are the
 * folders `generation-2` and so on in it. A later intermediate is in `intermediate-2` and so on of its generation. Existing
 * files are never replaced.
 *
 * Both engines call it through preflightMesh, and give its result to `cacertsSecret`, `trustAnchors` and `withTrust`
 * (objects.ts). A lock in the folder lets one process at a time do so; it removes temporary files of killed runs.
 * @throws ProblemsError (exit 2) with all certificates that are expired, unreadable, not a CA or not part of one chain.
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
  const lock = takeLock(join(directory, '.lock'), 'reading or making CAs');
  try {
    removeLeftovers(directory);
    return await settleTrust({ directory, mesh, clusters, controlPlaneNamespace, config, now, write: true });
  } finally {
    lock.release();
  }
}

/**
 * What {@link ensureTrust} would return, without writing anything: a missing CA is created for this process only, and
 * ensureTrust later creates another one.
 * @throws ProblemsError (exit 2) as ensureTrust does.
 */
export async function previewTrust(
  directory: string,
  mesh: string,
  clusters: readonly string[],
  controlPlaneNamespace: string,
  config = initialTrust,
  now = new Date(),
): Promise<Readonly<Record<string, ClusterTrust>>> {
  throwIfAny(configProblems(config));
  return settleTrust({ directory, mesh, clusters, controlPlaneNamespace, config, now, write: false });
}

interface Wanted {
  readonly directory: string;
  readonly mesh: string;
  readonly clusters: readonly string[];
  readonly controlPlaneNamespace: string;
  readonly config: TrustSettings;
  readonly now: Date;
  readonly write: boolean;
}

async function settleTrust(wanted: Wanted): Promise<Readonly<Record<string, ClusterTrust>>> {
  const { directory, mesh, clusters, controlPlaneNamespace, config, now, write } = wanted;
  const roots = await settleRoots(directory, mesh, clusters, config, now, write);
  const [signer] = roots;
  if (signer === undefined) throw new Error('there is no root that signs');
  const folderOf = (cluster: string) => join(signer.folder, intermediateFolder(config), cluster);
  const present = clusters.filter((cluster) => existsSync(folderOf(cluster)));
  // Create nothing while an existing CA is wrong.
  const found = present.map((name) => ({ name, ...readIntermediate(folderOf(name), name, signer, now) }));
  throwIfAny(found.flatMap(({ problem }) => problem ?? []));
  const cas = new Map(found.map(({ name, trust }) => [name, trust]));
  const missing = clusters.filter((cluster) => !present.includes(cluster));
  if (missing.length > 0) {
    const root = withKey(signer, missing);
    for (const cluster of missing) {
      const made = await createIntermediate(root, cluster, controlPlaneNamespace, now);
      if (write) writeIntermediate(folderOf(cluster), signer, made);
      cas.set(cluster, caOf(made, signer));
    }
  }
  const allRoots = roots.map(({ certificate }) => endWithNewline(certificate)).join('');
  return Object.fromEntries(
    clusters.flatMap((name) => {
      const ca = cas.get(name);
      return ca === undefined ? [] : [[name, { ...ca, roots: allRoots, state: config }] as const];
    }),
  );
}

/** Deletes temporary files of killed runs, so that private keys do not linger. */
function removeLeftovers(directory: string): void {
  const folders = generationFolders(directory).flatMap((generation) => [
    generation,
    ...list(generation, /^intermediate-[0-9]+$/),
  ]);
  for (const leftover of folders.flatMap((folder) => list(folder, /\.[0-9a-f]{12}\.tmp$/)))
    rmSync(leftover, { recursive: true, force: true });
}

function list(folder: string, pattern: RegExp): readonly string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => pattern.test(name)).map((name) => join(folder, name));
}

function intermediateFolder({ intermediate }: TrustSettings): string {
  return intermediate === 1 ? '.' : `intermediate-${intermediate}`;
}

function endWithNewline(pem: string): string {
  return `${pem.trim()}\n`;
}
