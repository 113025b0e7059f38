import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A copy of the project in which mutants run: they may write, rename and delete what they are not meant to. */
export interface Checkout {
  readonly root: string;
  /** For temporary files of tests, which may be ended in the middle. */
  readonly temporary: string;
  /** For compiled code, so that the processes compile what they share once. */
  readonly cache: string;
  /** Paths from the root, of all files but generated ones. */
  readonly files: readonly string[];
  readonly remove: () => void;
}

/** Copies the project as it stands, changes that are not committed included; later changes do not reach the copy. */
export function copyProject(root: string): Checkout {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(root, file)));
  const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
  const copy = join(folder, 'project');
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  for (const file of files) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  cpSync(join(root, 'gen'), join(copy, 'gen'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return {
    root: copy,
    temporary,
    cache: join(folder, 'cache'),
    files,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
