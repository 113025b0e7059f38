import { afterAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { copyProject } from './checkout.ts';

const root = mkdtempSync(join(tmpdir(), 'checkout-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

test('a copy has the files as they stand, and what is done to it does nothing to them', () => {
  const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: root });
  write('.gitignore', 'node_modules\n/gen/\n/ignored\n');
  write('infra/changed.ts', 'old');
  write('deleted.ts', '');
  write('gen/made.js', 'made');
  write('node_modules/package/index.js', 'package');
  write('ignored', '');
  git('init', '--quiet');
  git('add', '.');
  write('infra/changed.ts', 'new');
  write('added.ts', '');
  rmSync(join(root, 'deleted.ts'));

  const copy = copyProject(root);
  try {
    expect(copy.files.toSorted()).toEqual(['.gitignore', 'added.ts', 'infra/changed.ts']);
    const read = (path: string) => readFileSync(join(copy.root, path), 'utf8');
    expect(read('infra/changed.ts')).toBe('new');
    expect(read('gen/made.js')).toBe('made');
    expect(read('node_modules/package/index.js')).toBe('package');
    expect(existsSync(join(copy.root, 'ignored'))).toBe(false);
    rmSync(copy.root, { recursive: true });
  } finally {
    copy.remove();
  }
  expect(existsSync(dirname(copy.root))).toBe(false);
  expect(readFileSync(join(root, 'infra/changed.ts'), 'utf8')).toBe('new');
  expect(existsSync(join(root, 'node_modules/package/index.js'))).toBe(true);
});
