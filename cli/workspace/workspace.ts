import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultCacheDir } from '../../toolchain/cache.ts';

/** Where a checkout keeps things. */
export interface Workspace {
  /** Root of the checkout. */
  readonly root: string;
  /** What commands remember between runs; ignored by git. */
  readonly stateDir: string;
  /** Built tools and images, shared by all checkouts of a user. */
  readonly cacheDir: string;
  /** The lab's, with a context for each cluster. */
  readonly kubeconfig: string;
  readonly trustDir: string;
  readonly logsDir: string;
  readonly lockFile: string;
}

/**
 * The workspace of the checkout that this file is in.
 * @param env - MESHWRIGHT_STATE_DIR moves the state folder, for a checkout that is not to be written to
 */
export function thisWorkspace(env: NodeJS.ProcessEnv = process.env): Workspace {
  const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
  const stateDir = resolve(env['MESHWRIGHT_STATE_DIR'] ?? join(root, '.meshwright'));
  return {
    root,
    stateDir,
    cacheDir: defaultCacheDir(),
    kubeconfig: join(stateDir, 'kubeconfig'),
    trustDir: join(stateDir, 'trust'),
    logsDir: join(stateDir, 'logs'),
    lockFile: join(stateDir, 'lock'),
  };
}
