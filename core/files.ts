import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Mode of a file that holds a secret. */
export const secretMode = 0o600;

/**
 * Replaces a file as a whole: a reader sees the old content or the new, never a part, also after an interruption.
 * Creates the folder when it is missing. The mode is 0644 by default.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, data, { mode, flag: 'wx' });
    chmodSync(temporary, mode); // the umask may have removed bits
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
