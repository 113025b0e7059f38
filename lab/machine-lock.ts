import { takeLock } from '../core/lock.ts';
import { ProblemsError } from '../core/problem.ts';

const lockFile = '/run/meshwright.lock';

/**
 * Creates or removes what all checkouts on a machine share: bridge, namespaces, control groups. One process at a time.
 * @param command Shown to another checkout that tries to do so meanwhile: `npm run up`.
 * @throws ProblemsError (exit code 2) when another process does so now, or when this process is not root.
 */
export async function withMachineLock<T>(command: string, action: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) {
    throw new ProblemsError([
      {
        where: 'lab',
        what: 'only root may change its network namespaces and control groups',
        received: `user id ${process.geteuid?.() ?? '?'}`,
        allowed: 'root (user id 0)',
        fix: `run \`${command}\` as root`,
      },
    ]);
  }
  const lock = takeLock(lockFile, command);
  try {
    return await action();
  } finally {
    lock.release();
  }
}
