import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { readLock, writeLock } from './lock.ts';
import type { ImagesLock } from './lock.ts';
import { checkLock, refreshLock } from './lock-apps.ts';
import { digestOf } from './oci.ts';

const base: ImagesLock['base'] = {
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
};

let root: string;
const write = (file: string, text: string) => {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
};
const app = (name: string, code: string, changed: object = {}) => {
  write(`apps/${name}/main.ts`, code);
  const config = {
    name,
    ports: { http: 8080 },
    image: { version: '1.2.3', title: name, description: name },
    resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
    replicas: 1,
    ...changed,
  };
  write(`apps/${name}/config.yml`, stringify(config));
};

const pinNode = (version: string) => {
  const optionalDependencies = { [`node-linux-${process.arch}`]: version };
  write('package.json', JSON.stringify({ license: 'ISC', optionalDependencies }));
};

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'lock-'));
  pinNode('24.21.0');
  write('node_modules/lib/package.json', JSON.stringify({ name: 'lib', version: '1.0.0' }));
  write('node_modules/lib/index.js', 'export const used = 1;\nexport const unused = 2;\n');
  app('cart', "import { used } from 'lib';\nconsole.log(used);\n");
  app('shop', 'console.log(1);\n');
  writeLock(root, { base, apps: {} });
  await refreshLock(root);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test('names the image of each app, and is written only when it changes', async () => {
  const { apps } = readLock(root);
  expect(Object.keys(apps)).toEqual(['cart', 'shop']);
  expect(apps['cart']?.tag).toMatch(/^1\.2\.3-[0-9a-f]{12}$/);
  expect(apps['cart']?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await refreshLock(root)).toBe(false);
  await expect(checkLock(root, root)).resolves.toBeUndefined();
});

describe('an app gets another image', () => {
  const changes: readonly (readonly [string, () => void, readonly string[]])[] = [
    [
      'by its code',
      () => {
        app('cart', 'console.log(2);\n');
      },
      ['cart'],
    ],
    [
      'by its title',
      () => {
        app('shop', 'console.log(1);\n', { image: { version: '1.2.3', title: 'Shop', description: 'shop' } });
      },
      ['shop'],
    ],
    [
      'by what it uses of a package',
      () => {
        write('node_modules/lib/index.js', 'export const used = 3;\n');
      },
      ['cart'],
    ],
    [
      'not by its replicas',
      () => {
        app('shop', 'console.log(1);\n', { replicas: 4 });
      },
      [],
    ],
    [
      'not by a test or a comment',
      () => {
        app('cart', "// Adds up.\nimport { used } from 'lib';\nconsole.log(used);\n");
      },
      [],
    ],
    [
      'not by a package of which it uses something else',
      () => {
        write('node_modules/lib/index.js', 'export const used = 1;\n');
      },
      [],
    ],
  ];

  test.each(changes)('%s', async (_, change, expected) => {
    const before = readLock(root).apps;
    change();
    await refreshLock(root);
    const { apps } = readLock(root);
    expect(Object.keys(apps).filter((name) => apps[name]?.tag !== before[name]?.tag)).toEqual(expected);
    expect(Object.keys(apps).filter((name) => apps[name]?.digest !== before[name]?.digest)).toEqual(expected);
  });
});

test('the check names every app that the lock does not have as its sources make it', async () => {
  app('cart', 'console.log(2);\n');
  app('till', 'console.log(3);\n');
  rmSync(join(root, 'apps/shop'), { recursive: true });
  const fix = 'fix: run npm run synth and commit images.lock.json and dist/';
  await expect(checkLock(root, root)).rejects.toThrow(
    [
      `images.lock.json: apps.cart: the sources build a different image; ${fix}`,
      `images.lock.json: apps.shop: there is no such app; ${fix}`,
      `images.lock.json: apps.till: the app has no image in the lock; ${fix}`,
    ].join('\n'),
  );
});

test('the check wants the Node of package.json in the base', async () => {
  pinNode('24.22.0');
  await expect(checkLock(root, root)).rejects.toThrow(
    'images.lock.json: base.node: is not the version that package.json asks for; received "24.21.0"; allowed 24.22.0; ' +
      'fix: run npm run images -- --update-base, then npm run synth',
  );
});
