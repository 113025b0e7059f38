import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { LockedBase } from './lock.ts';
import { digestOf } from './oci.ts';
import { cachedBase, differences, distribution } from './base.ts';

const locked: LockedBase = {
  platform: 'linux/amd64',
  node: '24.21.0',
  distribution: 'debian-12',
  packages: { libc6: { file: 'libc6_2.36-9+deb12u14_amd64.deb', hash: 'SHA256:aa' } },
  layer: { mediaType: 'gzip', digest: digestOf('a'), size: 1, diffId: digestOf('b') },
};

test('says in what another base differs', () => {
  const here = {
    ...locked,
    node: '24.22.0',
    packages: { libc6: { file: 'libc6_2.41-12_amd64.deb', hash: 'SHA256:bb' } },
  };
  expect(differences(locked, here)).toEqual([
    'node 24.22.0 instead of 24.21.0',
    'libc6_2.41-12_amd64.deb instead of libc6_2.36-9+deb12u14_amd64.deb',
  ]);
  expect(differences(locked, { ...locked, layer: { ...locked.layer, digest: digestOf('c') } })).toEqual([
    `the same packages with another layout or compression: ${digestOf('c')} instead of ${digestOf('a')}`,
  ]);
});

test('takes the locked base from the cache, and no other', () => {
  const folder = mkdtempSync(join(tmpdir(), 'base-'));
  try {
    for (const text of ['x', 'a']) {
      mkdirSync(join(folder, `base-node-${text}`));
      writeFileSync(
        join(folder, `base-node-${text}`, 'layer.json'),
        JSON.stringify({ digest: digestOf(text) }),
      );
    }
    mkdirSync(join(folder, 'base-node-empty'));
    expect(cachedBase(folder, locked)).toEqual({
      base: locked,
      path: join(folder, 'base-node-a/layer.tar.gz'),
    });
    const other = { ...locked, layer: { ...locked.layer, digest: digestOf('other') } };
    expect(cachedBase(folder, other)).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('reads the distribution of os-release', () => {
  const folder = mkdtempSync(join(tmpdir(), 'base-'));
  const file = join(folder, 'os-release');
  writeFileSync(file, 'NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\n');
  expect(distribution(file)).toBe('ubuntu-24.04');
  rmSync(folder, { recursive: true });
  expect(distribution(file)).toBe('linux-unknown');
});
