import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { problemOf } from '../testing/problems.ts';
import { writeFolder } from './folder.ts';

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'folder-'));
  folder = join(parent, 'mesh');
});
afterEach(() => {
  rmSync(parent, { recursive: true });
});

const first = new Map([
  ['east/a.yaml', 'a: 1\n'],
  ['east/b.yaml', 'b: 1\n'],
]);
const lab = 'environment lab of mesh shop';
const files = () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
const problem = (content = first) =>
  problemOf(Promise.resolve().then(() => writeFolder(folder, content, lab)));

describe('writeFolder', () => {
  test('makes a folder, and does not touch it when nothing differs', () => {
    expect(writeFolder(folder, first, lab)).toEqual({
      written: ['east/a.yaml', 'east/b.yaml'],
      removed: [],
      unchanged: 0,
    });
    expect(files()).toEqual(['east', 'east/a.yaml', 'east/b.yaml', 'meshwright-export.json']);
    const { ino } = statSync(folder);
    expect(writeFolder(folder, first, lab)).toEqual({ written: [], removed: [], unchanged: 2 });
    expect(statSync(folder).ino).toBe(ino);
  });

  test('replaces what changed, removes what is no longer there, and leaves nothing beside the folder', () => {
    writeFolder(folder, first, lab);
    const changed = new Map([
      ['east/a.yaml', 'a: 2\n'],
      ['west/a.yaml', 'a: 1\n'],
    ]);
    expect(writeFolder(folder, changed, lab)).toEqual({
      written: ['east/a.yaml', 'west/a.yaml'],
      removed: ['east/b.yaml'],
      unchanged: 0,
    });
    expect(files()).toEqual(['east', 'east/a.yaml', 'meshwright-export.json', 'west', 'west/a.yaml']);
    expect(readFileSync(join(folder, 'east/a.yaml'), 'utf8')).toBe('a: 2\n');
    expect(readdirSync(parent)).toEqual(['mesh']);
  });

  test('writes again what somebody deleted', () => {
    writeFolder(folder, first, lab);
    rmSync(join(folder, 'east/b.yaml'));
    expect(writeFolder(folder, first, lab)).toEqual({ written: ['east/b.yaml'], removed: [], unchanged: 1 });
  });

  test('fills an empty folder, and one behind a link, which stays', () => {
    mkdirSync(join(parent, 'real'));
    symlinkSync('real', folder);
    writeFolder(folder, first, lab);
    expect(readdirSync(parent).sort()).toEqual(['mesh', 'real']);
    expect(existsSync(join(parent, 'real/east/a.yaml'))).toBe(true);
  });

  test('refuses a folder that no export wrote', async () => {
    mkdirSync(join(folder, '.git'), { recursive: true });
    writeFileSync(join(folder, '.git/HEAD'), 'ref');
    expect(await problem()).toEqual({
      exitCode: 2,
      message: `${folder}: was not created by npm run export: it has no meshwright-export.json; allowed a new or empty folder, or one that npm run export created; fix: choose another folder inside the repository`,
    });
    expect(files()).toEqual(['.git', '.git/HEAD']);
  });

  test('refuses to lose what others wrote or edited, all at once', async () => {
    writeFolder(folder, first, lab);
    writeFileSync(join(folder, 'README.md'), 'ours');
    writeFileSync(join(folder, 'east/a.yaml'), 'a: 3\n');
    expect(await problem(new Map())).toEqual({
      exitCode: 2,
      message:
        `${folder}/README.md: was not written by an export; fix: move it out of the folder, which every export replaces\n` +
        `${folder}/east/a.yaml: was edited since an export wrote it; fix: restore or delete it; make changes in the declaration, or in your own overlay`,
    });
    expect(readFileSync(join(folder, 'east/a.yaml'), 'utf8')).toBe('a: 3\n');
    expect(existsSync(join(folder, 'README.md'))).toBe(true);
  });

  test('refuses a file', async () => {
    writeFileSync(folder, '');
    expect(await problem()).toEqual({
      exitCode: 2,
      message: `${folder}: is a file; allowed a folder, or a new path`,
    });
  });

  test('says when it cannot write', async () => {
    writeFileSync(join(parent, 'file'), '');
    folder = join(parent, 'file', 'mesh');
    const { message, exitCode } = await problem();
    expect(exitCode).toBe(1);
    expect(message).toMatch(/^\S+\/file\/mesh: cannot be written: ENOTDIR: not a directory, mkdir '\S+'$/);
  });

  test('makes files that everybody may read', () => {
    writeFolder(folder, first, lab);
    expect(statSync(join(folder, 'east/a.yaml')).mode & 0o777).toBe(0o644);
  });
});

describe('the tree of another environment', () => {
  test('is not replaced', async () => {
    writeFolder(folder, first, lab);
    const replace = () => writeFolder(folder, first, 'environment prod of mesh shop');
    expect(await problemOf(Promise.resolve().then(replace))).toEqual({
      exitCode: 2,
      message: `${folder}: holds the tree of another export, which this one would replace; received "environment prod of mesh shop"; allowed environment lab of mesh shop; fix: choose another folder for each environment and mesh, or remove this one first`,
    });
    expect(readFileSync(join(folder, 'east/a.yaml'), 'utf8')).toBe('a: 1\n');
  });

  test('is not known of what an earlier version wrote', () => {
    writeFolder(folder, first, lab);
    const list = join(folder, 'meshwright-export.json');
    const { of, ...earlier } = JSON.parse(readFileSync(list, 'utf8')) as { readonly of: string };
    expect(of).toBe(lab);
    writeFileSync(list, JSON.stringify(earlier));
    expect(writeFolder(folder, first, lab)).toMatchObject({ written: [], unchanged: 2 });
  });
});
