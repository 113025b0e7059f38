import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { AppConfig } from './app-config.ts';
import { imageInputs, imageTag } from './image-tag.ts';

const config: AppConfig = {
  name: 'cart',
  directory: 'apps/cart',
  services: [],
  ports: { http: 8080 },
  image: { version: '1.2.3', title: 'cart', description: 'cart' },
  resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
  replicas: 1,
  shutdown: { drainSeconds: 20, graceSeconds: 30 },
  env: {},
  httpGateway: false,
};

const builders = ['bundle', 'containerfile', 'rootfs', 'spec', 'specs'];

let root = '';
const write = (file: string, text: string) => {
  mkdirSync(join(root, file, '..'), { recursive: true });
  writeFileSync(join(root, file), text);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'image-tag-'));
  write('apps/cart/main.ts', 'main');
  write('apps/cart/config.yml', 'name: cart');
  write('apps/cart/parts/a.ts', 'a');
  write('apps/cart/main.test.ts', 'test');
  write('apps/cart/README.md', 'about');
  write('apps/other/main.ts', 'other');
  write('apps/runtime/server.ts', 'server');
  write('proto/cart.proto', 'proto');
  write('proto/conformance/v1/conformance.proto', 'tests');
  write('package-lock.json', '{}');
  write('tsconfig.json', '{}');
  for (const name of builders) write(`lab/images/${name}.ts`, name);
  write('lab/images/prune.ts', 'prune');
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test('lists what goes in, and not tests, documents, other apps or config.yml', () => {
  expect(imageInputs(root, config)).toEqual([
    'apps/cart/main.ts',
    'apps/cart/parts/a.ts',
    'apps/runtime/server.ts',
    'lab/images/bundle.ts',
    'lab/images/containerfile.ts',
    'lab/images/rootfs.ts',
    'lab/images/spec.ts',
    'lab/images/specs.ts',
    'package-lock.json',
    'proto/cart.proto',
    'tsconfig.json',
  ]);
});

test('is the version and 12 hex digits, the same for the same files anywhere', () => {
  const tag = imageTag(root, config);
  expect(tag).toMatch(/^1\.2\.3-[0-9a-f]{12}$/);
  const copy = mkdtempSync(join(tmpdir(), 'image-tag-'));
  cpSync(root, copy, { recursive: true });
  expect(imageTag(copy, config)).toBe(tag);
  rmSync(copy, { recursive: true });
});

test.each([
  'apps/cart/main.ts',
  'apps/cart/new.ts',
  'apps/runtime/server.ts',
  'proto/cart.proto',
  'package-lock.json',
  'tsconfig.json',
  'lab/images/rootfs.ts',
])('changes with %s', (file) => {
  const before = imageTag(root, config);
  write(file, 'changed');
  expect(imageTag(root, config)).not.toBe(before);
});

test.each([
  'apps/cart/main.test.ts',
  'apps/cart/README.md',
  'apps/other/main.ts',
  'apps/cart/config.yml',
  'lab/images/prune.ts',
  'proto/conformance/v1/conformance.proto',
])('does not change with %s', (file) => {
  const before = imageTag(root, config);
  write(file, 'changed');
  expect(imageTag(root, config)).toBe(before);
});

test('changes with what the image takes from config.yml, and not with the rest', () => {
  const before = imageTag(root, config);
  expect(imageTag(root, { ...config, image: { ...config.image, title: 'basket' } })).not.toBe(before);
  expect(imageTag(root, { ...config, httpGateway: true })).not.toBe(before);
  expect(imageTag(root, { ...config, replicas: 5, env: { A: 'b' } })).toBe(before);
});

test('a text moved between two files is another image', () => {
  write('apps/cart/main.ts', 'ma');
  write('apps/cart/parts/a.ts', 'ina');
  const moved = imageTag(root, config);
  write('apps/cart/main.ts', 'main');
  write('apps/cart/parts/a.ts', 'a');
  expect(imageTag(root, config)).not.toBe(moved);
});

test('names files that there are', () => {
  const project = join(import.meta.dirname, '../..');
  const inputs = imageInputs(project, { directory: 'apps/catalog' });
  for (const name of builders) expect(inputs).toContain(`lab/images/${name}.ts`);
  for (const name of ['tsconfig.json', 'package-lock.json', 'buf.gen.yaml']) expect(inputs).toContain(name);
});
