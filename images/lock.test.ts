import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { lockedImage, readLock, writeLock } from './lock.ts';
import type { ImagesLock } from './lock.ts';
import { digestOf } from './oci.ts';

const lock: ImagesLock = {
  base: {
    platform: 'linux/amd64',
    node: '24.21.0',
    distribution: 'debian-12',
    packages: { libc6: { file: 'libc6_2.36_amd64.deb', hash: 'SHA256:aa' } },
    layer: {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: digestOf('compressed'),
      size: 10,
      diffId: digestOf('plain'),
    },
  },
  apps: { cart: { tag: '1.2.3-0a0a0a0a0a0a', digest: digestOf('cart') } },
};

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lock-'));
  writeLock(root, lock);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test('reads what was written, and writes only what differs', () => {
  expect(readLock(root)).toEqual(lock);
  expect(writeLock(root, lock)).toBe(false);
  expect(writeLock(root, { ...lock, apps: {} })).toBe(true);
  expect(readLock(root).apps).toEqual({});
});

test('has an image of the version that config.yml says, or tells what to do', () => {
  const image = { version: '1.2.3', title: '', description: '', nodeOptions: [] };
  expect(lockedImage(lock, { name: 'cart', image })).toBe(lock.apps['cart']);
  expect(() => lockedImage(lock, { name: 'till', image })).toThrow(
    'images.lock.json: apps.till: the app has no image in the lock; fix: run npm run synth, which updates the lock from the sources',
  );
  expect(() => lockedImage(lock, { name: 'cart', image: { ...image, version: '2.0.0' } })).toThrow(
    `images.lock.json: apps.cart: has another version; received "${lock.apps['cart']?.tag ?? ''}"; allowed a tag of version 2.0.0, ` +
      'which its config.yml declares; fix: run npm run synth, which updates the lock from the sources',
  );
});

test('a lock that is missing or damaged is told by name and key', () => {
  const write = (content: string) => {
    writeFileSync(join(root, 'images.lock.json'), content);
  };
  const text = readFileSync(join(root, 'images.lock.json'), 'utf8');
  write(text.replace('linux/amd64', 'windows'));
  expect(() => readLock(root)).toThrow(
    'images.lock.json: base.platform: Invalid string: must match pattern /^linux\\/[a-z0-9]+$/; fix: restore it from version control',
  );
  write(text.slice(1));
  expect(() => readLock(root)).toThrow(
    'images.lock.json: is not valid JSON; fix: restore it from version control',
  );
  rmSync(join(root, 'images.lock.json'));
  expect(() => readLock(root)).toThrow(
    'images.lock.json: the file is missing; fix: restore it from version control, or create it with npm run images -- --update-base',
  );
});
