import { join, resolve } from 'node:path';
import { throwIfAny, type Problem } from '../../core/problem.ts';
import { projectFolder } from '../../core/project-folder.ts';
import { defaultCacheDir } from '../../toolchain/cache.ts';

/** Where a project keeps things: this checkout, or a project that has installed the packages. */
export interface Workspace {
  /** The project's folder: that of mesh.ts. */
  readonly root: string;
  /** What commands remember between runs; ignored by git. */
  readonly stateDir: string;
  /** Built tools and images, shared by all projects of a user. */
  readonly cacheDir: string;
  /** The lab's, with a context for each cluster. */
  readonly kubeconfig: string;
  readonly trustDir: string;
  readonly logsDir: string;
  readonly lockFile: string;
}

/**
 * The workspace of the project that a command was started in: the innermost folder with a mesh.ts, from the current one on
 * upward; the current one where there is none.
 * @param env - MESHWRIGHT_STATE_DIR moves the state folder, for a project that is not to be written to
 * @throws ProblemsError (exit code 2) for folders whose names cannot stand in a line; scripts/prepare.js refuses checkouts in such.
 */
export function thisWorkspace(env: NodeJS.ProcessEnv = process.env): Workspace {
  const root = projectFolder(process.cwd()) ?? process.cwd();
  const stateDir = resolve(env['MESHWRIGHT_STATE_DIR'] ?? join(root, '.meshwright'));
  const cacheDir = defaultCacheDir(env);
  throwIfAny([
    ...folderProblems('state folder (MESHWRIGHT_STATE_DIR)', stateDir),
    ...folderProblems('cache folder (XDG_CACHE_HOME, HOME)', cacheDir),
  ]);
  return {
    root,
    stateDir,
    cacheDir,
    kubeconfig: join(stateDir, 'kubeconfig'),
    trustDir: join(stateDir, 'trust'),
    logsDir: join(stateDir, 'logs'),
    lockFile: join(stateDir, 'lock'),
  };
}

function folderProblems(where: string, path: string): readonly Problem[] {
  if (!/[\p{Cc}\uFFFD]/u.test(path)) return [];
  return [
    {
      where,
      what: 'has a control character or bytes that are no UTF-8 in its path',
      received: path,
      allowed: 'any other characters, spaces and quotes among them',
      fix: 'choose another folder',
    },
  ];
}
