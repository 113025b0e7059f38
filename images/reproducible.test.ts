import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { appImage, buildApp } from './app-image.ts';
import { digestOf } from './oci.ts';
import type { Layer } from './oci.ts';
import { run } from '../core/run.ts';
import { writeArchive } from './archive.ts';
import { writeLayer } from './layer.ts';
import { sbomOf } from './sbom.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reproducible-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A program and a Debian package with a library and a link, made at some time in some folder. */
async function sources(name: string, at: Date): Promise<{ readonly program: string; readonly deb: string }> {
  const package_ = join(folder, name, 'package');
  mkdirSync(join(package_, 'DEBIAN'), { recursive: true });
  mkdirSync(join(package_, 'usr/lib'), { recursive: true });
  const control =
    'Package: libx\nVersion: 1.0\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: x\n';
  writeFileSync(join(package_, 'DEBIAN/control'), control);
  writeFileSync(join(package_, 'usr/lib/libx.so.1'), 'library'.repeat(100_000));
  chmodSync(join(package_, 'DEBIAN'), 0o755);
  const deb = join(folder, name, 'libx_1.0_all.deb');
  await run('dpkg-deb', ['--build', '--root-owner-group', package_, deb]);
  const program = join(folder, name, 'node');
  writeFileSync(program, Buffer.alloc(3_000_000, 'program'));
  for (const file of [deb, program]) utimesSync(file, at, at);
  return { program, deb };
}

async function baseLayer(name: string, at: Date, target: string): Promise<Layer> {
  const { program, deb } = await sources(name, at);
  const image = {
    files: [{ to: '/usr/bin/node', from: { path: program }, mode: 0o755 }],
    folders: { '/tmp': 0o1777 },
  };
  return writeLayer(image, [deb], join(folder, name, 'scratch'), target);
}

const config = {
  name: 'catalog',
  image: { version: '1.0.0', title: 'Catalog', description: 'Products', nodeOptions: [] },
  ports: { grpc: 50051 },
  httpGateway: false,
};
const packages = [{ name: '@grpc/grpc-js', version: '1.14.7', license: 'Apache-2.0 OR MIT' }];
const made = {
  node: '24.21.0',
  distribution: 'debian-12',
  packages: { 'libstdc++6': { file: 'libstdc++6_1%3a12.2.0-14+deb12u1_amd64.deb', hash: 'SHA256:aa' } },
};

test('a base and an app built twice, in other folders and at other times, are the same bytes', async () => {
  const build = async (name: string, at: Date) => {
    const path = join(folder, `${name}.layer`);
    const layer = await baseLayer(name, at, path);
    const app = buildApp(appImage(config, { code: 'run()' }, {}), { platform: 'linux/amd64', layer });
    const target = join(folder, `${name}.tar`);
    const layers = [
      { ...layer, path },
      { ...app.layer, content: app.archive },
    ];
    const sbom = sbomOf(config, app.digest, packages, made);
    const reference = `localhost/x/catalog:${app.tag}`;
    await writeArchive({ reference, platform: 'linux/amd64', documents: app, layers, sbom }, target);
    return { layer, digest: app.digest, archive: digestOf(readFileSync(target)) };
  };
  expect(await build('one', new Date('2026-01-01'))).toEqual(
    await build('elsewhere/two', new Date('2031-07-07')),
  );
});

describe('an archive', () => {
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('base'), size: 4 };
  const stored = { ...layer, diffId: layer.digest };
  const app = buildApp(appImage(config, { code: 'run()' }, {}), { platform: 'linux/amd64', layer: stored });
  const sbom = sbomOf(config, app.digest, packages, made);

  const unpacked = async () => {
    const target = join(folder, 'image.tar');
    const layers = [
      { ...stored, content: Buffer.from('base') },
      { ...app.layer, content: app.archive },
    ];
    await writeArchive(
      { reference: 'localhost/x/catalog:1', platform: 'linux/amd64', documents: app, layers, sbom },
      target,
    );
    await run('tar', ['--extract', '--file', target], { cwd: folder });
    const text = (file: string) => readFileSync(join(folder, file), 'utf8');
    const blob = (digest: string) => text(`blobs/${digest.replace(':', '/')}`);
    return { text, blob };
  };

  test('is an OCI layout of which every blob is what its digest says, and names its image', async () => {
    const { text, blob } = await unpacked();
    expect(JSON.parse(text('oci-layout'))).toEqual({ imageLayoutVersion: '1.0.0' });
    const index = JSON.parse(text('index.json')) as { manifests: { digest: string; annotations?: object }[] };
    expect(index.manifests[0]).toMatchObject({
      digest: app.digest,
      platform: { architecture: 'amd64', os: 'linux' },
      annotations: { 'io.containerd.image.name': 'localhost/x/catalog:1' },
    });
    for (const { digest } of index.manifests) {
      expect(digestOf(blob(digest))).toBe(digest);
      const manifest = JSON.parse(blob(digest)) as {
        config: { digest: string; size: number };
        layers: { digest: string; size: number }[];
      };
      for (const part of [manifest.config, ...manifest.layers]) {
        expect(digestOf(blob(part.digest))).toBe(part.digest);
        expect(Buffer.byteLength(blob(part.digest))).toBe(part.size);
      }
    }
  });

  test('is read by old docker engines too', async () => {
    const { text, blob } = await unpacked();
    const [image] = JSON.parse(text('manifest.json')) as [
      { Config: string; RepoTags: string[]; Layers: string[] },
    ];
    expect(image.RepoTags).toEqual(['localhost/x/catalog:1']);
    expect(text(image.Config)).toBe(blob(app.id));
    expect(image.Layers.map((path) => digestOf(text(path)))).toEqual([layer.digest, app.layer.digest]);
  });

  test('has the bill of materials as an artifact that refers to the image', async () => {
    const { text, blob } = await unpacked();
    const [, artifact] = (
      JSON.parse(text('index.json')) as { manifests: { digest: string; artifactType?: string }[] }
    ).manifests;
    expect(artifact?.artifactType).toBe('application/vnd.cyclonedx+json');
    const manifest = JSON.parse(blob(artifact!.digest)) as { subject: object; layers: { digest: string }[] };
    expect(manifest.subject).toMatchObject({ digest: app.digest, size: app.manifest.length });
    expect(blob(manifest.layers[0]!.digest)).toBe(Buffer.from(sbom).toString());
  });
});

test('a bill of materials lists npm packages, Node and Debian packages as scanners know them', () => {
  const bill = JSON.parse(Buffer.from(sbomOf(config, digestOf(''), packages, made)).toString()) as {
    components: { purl: string; licenses?: unknown }[];
    metadata: unknown;
  };
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
  expect(bill.components.map(({ purl }) => purl)).toEqual([
    'pkg:npm/%40grpc/grpc-js@1.14.7',
    'pkg:generic/node@24.21.0',
    'pkg:deb/debian/libstdc%2B%2B6@1%3A12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12',
  ]);
  expect(bill.components[0]?.licenses).toEqual([{ expression: 'Apache-2.0 OR MIT' }]);
  expect(bill.metadata).toMatchObject({
    component: { type: 'container', name: 'catalog', version: '1.0.0' },
  });
});
