import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkout-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs a command in a checkout that has scripts, and no packages yet; npm is one that says that it was called. */
function run(name: string) {
  const checkout = join(folder, name);
  cpSync(join(root, 'scripts'), join(checkout, 'scripts'), { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(checkout, file));
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npm'), '#!/bin/sh\necho "npm was called in $PWD"\nexit 7\n', { mode: 0o755 });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(checkout, 'scripts/run.js'), 'synth'],
    {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    },
  );
  return { checkout, status, stdout, stderr, made: readdirSync(checkout).sort() };
}

const sources = ['package-lock.json', 'package.json', 'scripts'];

test.each([
  ['east:west', 'a colon, which PATH separates its folders by'],
  ['all*', 'an asterisk or a backslash, with which Node finds no modules'],
  ['two\nlines', 'a control character, such as a line break: lines of output and of logs name files'],
  ['\u0085', 'a control character, such as a line break: lines of output and of logs name files'],
])('a checkout in a folder called %j is refused before anything is installed', (name, why) => {
  const { checkout, ...ended } = run(name);
  expect(ended).toEqual({
    status: 2,
    stdout: '',
    stderr:
      `checkout: the path of its folder has ${why}; received ${JSON.stringify(`${checkout}/`)}; ` +
      'allowed any other characters, spaces and quotes among them; fix: move or rename the folder\n',
    made: sources,
  });
});

test('one in a folder of any other name is prepared there', () => {
  const { checkout, stderr, made } = run(`odd dir 'q" #é 50%25 $HOME & (a) [b] {c} ?!;,=+@~^|<>`);
  expect(stderr).toContain(`npm was called in ${checkout}\n`);
  expect(made).toEqual(sources);
});
