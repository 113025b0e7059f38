import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rememberPackages } from './known-packages.ts';

let folder: string;
let asked: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'packages-'));
  mkdirSync(join(folder, 'lists'));
  writeFileSync(join(folder, 'lists', 'index'), 'one');
  asked = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const libc = { name: 'libc6', file: 'libc6_2.36_amd64.deb', hash: 'SHA256:0a' };

function remember(names: readonly string[] = ['libc6']) {
  const ask = () => {
    asked++;
    return Promise.resolve(new Map([[libc.name, libc]]));
  };
  return rememberPackages(join(folder, 'packages.json'), names, ask, [
    join(folder, 'lists'),
    join(folder, 'not there'),
  ]);
}

test('apt-get is asked once as long as it reads the same', async () => {
  for (let time = 0; time < 3; time++) expect([...(await remember())]).toEqual([['libc6', libc]]);
  expect(asked).toBe(1);
});

test.each<[string, () => void, readonly string[]]>([
  [
    'an index has another content',
    () => {
      writeFileSync(join(folder, 'lists', 'index'), 'other');
    },
    ['libc6'],
  ],
  [
    'there is another index',
    () => {
      writeFileSync(join(folder, 'lists', 'more'), '');
    },
    ['libc6'],
  ],
  ['other packages are wanted', () => undefined, ['libc6', 'netbase']],
  [
    'the answer was lost half-way',
    () => {
      writeFileSync(join(folder, 'packages.json'), '{');
    },
    ['libc6'],
  ],
])('it is asked again when %s', async (_, change, names) => {
  await remember();
  change();
  await remember(names);
  expect(asked).toBe(2);
});
