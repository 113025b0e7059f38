import { takeLock } from '../core/lock.ts';
import { ProblemsError } from '../core/problem.ts';

const lockFile = '/run/meshwright.lock';

/**
 * Makes or removes what all checkouts on a machine share: bridge, namespaces, control groups. One at a time.
 * @param command Named to another checkout that wants to do so meanwhile: `npm run up`.
 * @throws ProblemsError (exit code 2) when another does so now, or this is not root.
 */
export async function withMachineLock<T>(command: string, action: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) {
    throw new ProblemsError([
      {
        where: 'lab',
        what: 'its network namespaces and control groups are those of root',
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
