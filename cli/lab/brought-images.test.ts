import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ProblemsError } from '../../core/problem.ts';
import { run } from '../../core/run.ts';
import { broughtImages } from './brought-images.ts';

const image = 'registry.example/cart:1.4.0';
const manifest = `sha256:${'0a'.repeat(32)}`;
const index = JSON.stringify({ schemaVersion: 2, manifests: [{ digest: manifest, size: 7 }] });
const digest = `sha256:${createHash('sha256').update(index).digest('hex')}`;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshwright-archives-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A tar archive with one file, as tar names it. */
async function archive(name: string, file: string, text: string): Promise<string> {
  const sources = join(folder, `${name}-files`);
  mkdirSync(sources);
  writeFileSync(join(sources, file), text);
  const path = join(folder, `${name}.tar`);
  await run('tar', ['--create', '--file', path, '--directory', sources, name.startsWith('dot') ? '.' : file]);
  return path;
}

async function problemsOf(images: readonly string[], archives: Readonly<Record<string, string>>) {
  try {
    await broughtImages(images, archives);
  } catch (error) {
    if (error instanceof ProblemsError && error.exitCode === 2) return error.message.split('\n');
    throw error;
  }
  return [];
}

test('an archive is known by its index and the manifests in it, whoever wrote it', async () => {
  for (const name of ['plain', 'dotted']) {
    const file = await archive(name, 'index.json', index);
    expect(await broughtImages([image], { [image]: file })).toEqual([
      { reference: image, archive: file, digest, manifests: [manifest] },
    ]);
    // Pods that name both a tag and a digest get what has the digest.
    for (const asked of [manifest, digest]) {
      const [pinned] = await broughtImages([`${image}@${asked}`], { [`${image}@${asked}`]: file });
      expect(pinned?.reference).toBe(`registry.example/cart@${asked}`);
    }
  }
  expect(await broughtImages([], {})).toEqual([]);
});

test('everything that is missing or wrong is told at once', async () => {
  const other = `registry.example/front@sha256:${'0b'.repeat(32)}`;
  const good = await archive('good', 'index.json', index);
  const empty = await archive('empty', 'index.json', '{"manifests":[]}');
  const layer = await archive('layer', 'server', 'a program');
  const gone = join(folder, 'gone.tar');
  const archives = {
    'registry.example/card:1.4.0': good,
    [other]: good,
    'a.example/empty:1.0.0': empty,
    'a.example/layer:1.0.0': layer,
    'a.example/gone:1.0.0': gone,
  };
  const images = [image, ...Object.keys(archives).slice(1)];
  const rule = 'allowed a tar archive with an OCI image layout, index.json among its files';
  expect(await problemsOf(images, archives)).toEqual([
    `image ${image}: is built elsewhere, and the lab pulls no images; fix: add its archive to meshwright:labImages of Pulumi.lab.yaml, ` +
      `'${image}': FILE, as \`docker save\` or \`skopeo copy docker://${image} oci-archive:FILE\` writes one`,
    `Pulumi.lab.yaml: labImages.registry.example/card:1.4.0: no workload of the mesh runs this image; allowed ${images.join(', ')}; fix: did you mean ${image}?`,
    `Pulumi.lab.yaml: labImages.${other}: has another image than the one of this digest; received "${manifest}"; allowed sha256:${'0b'.repeat(32)}`,
    `Pulumi.lab.yaml: labImages.a.example/empty:1.0.0: is not the archive of an image; received "${empty}"; ${rule}`,
    `Pulumi.lab.yaml: labImages.a.example/layer:1.0.0: is not the archive of an image; received "${layer}"; ${rule}`,
    `Pulumi.lab.yaml: labImages.a.example/gone:1.0.0: there is no such file; received "${gone}"; fix: write the archive of the image there`,
  ]);
});

test('an archive that no mesh needs is told to be removed', async () => {
  expect(await problemsOf([], { [image]: 'cart.tar' })).toEqual([
    `Pulumi.lab.yaml: labImages.${image}: no workload of the mesh runs this image; allowed none; fix: remove it`,
  ]);
});
