import { describe, expect, test } from '@jest/globals';
import { fileIdentity, imageKey } from './key.ts';
import type { KeyOptions } from './key.ts';
import type { ImageSpec } from './spec.ts';

const options: KeyOptions = {
  hub: 'localhost/x',
  packages: new Map([['libc6', { name: 'libc6', file: 'libc6_2.36_amd64.deb', hash: 'SHA256:aa' }]]),
  identify: (file) => fileIdentity(file, '/cache'),
  builder: '1',
};
const base: ImageSpec = { name: 'base', tag: '24', packages: ['libc6'] };
const image: ImageSpec = {
  name: 'catalog',
  tag: '1',
  base,
  files: [{ to: '/app/main.js', from: { content: 'run()' } }],
  links: { '/bin': 'usr/bin' },
};
const key = imageKey(image, options);

test('is 16 hex digits, the same each time', () => {
  expect(key).toMatch(/^[0-9a-f]{16}$/);
  expect(imageKey(structuredClone(image), options)).toBe(key);
});

describe('differs by', () => {
  const file = { to: '/app/main.js', from: { content: 'run()' } };
  test.each<[string, Partial<ImageSpec>]>([
    ['tag', { tag: '2' }],
    ['base', { base: { ...base, tag: '25' } }],
    ['content of a file', { files: [{ ...file, from: { content: 'run(1)' } }] }],
    ['place of a file', { files: [{ ...file, to: '/app/other.js' }] }],
    ['mode of a file', { files: [{ ...file, mode: 0o755 }] }],
    ['link', { links: { '/bin': 'usr/sbin' } }],
    ['folder', { folders: { '/tmp': 0o1777 } }],
    ['user', { user: '0:0' }],
    ['label', { labels: { a: 'b' } }],
  ])('%s', (_, change) => {
    expect(imageKey({ ...image, ...change }, options)).not.toBe(key);
  });

  test('what its base holds', () => {
    const newer = { name: 'libc6', file: 'libc6_2.36_amd64.deb', hash: 'SHA256:bb' };
    expect(imageKey(image, { ...options, packages: new Map([['libc6', newer]]) })).not.toBe(key);
  });

  test('hub and builder', () => {
    expect(imageKey(image, { ...options, hub: 'localhost/y' })).not.toBe(key);
    expect(imageKey(image, { ...options, builder: '2' })).not.toBe(key);
  });
});

describe('fileIdentity', () => {
  test('takes a file of the cache by its place, any other by its content', () => {
    const here = { to: '/x', from: { path: import.meta.filename } };
    expect(fileIdentity({ to: '/x', from: { path: '/cache/tools/etcd-0123/bin/etcd' } }, '/cache')).toBe(
      'tools/etcd-0123/bin/etcd',
    );
    expect(fileIdentity(here, '/cache')).toMatch(/^[0-9a-f]{64}$/);
    expect(fileIdentity(here, import.meta.dirname)).toBe('key.test.ts');
  });
});
