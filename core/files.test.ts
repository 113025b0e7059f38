import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { secretMode, writeFileAtomic } from './files.ts';

describe('writeFileAtomic', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'files-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('replaces the file, makes its folder, sets the mode and leaves nothing else', () => {
    const path = join(folder, 'a', 'b.txt');
    writeFileAtomic(path, 'one', secretMode);
    writeFileAtomic(path, 'two', secretMode);
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'a'))).toEqual(['b.txt']);
  });

  test('leaves no temporary file when the target cannot be replaced', () => {
    writeFileAtomic(join(folder, 'd', 'x'), 'in the way');
    expect(() => {
      writeFileAtomic(join(folder, 'd'), 'a folder stands there');
    }).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(folder)).toEqual(['d']);
  });
});
