import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../core/run.ts';

/**
 * Writes an image as others would: an OCI image layout with one layer, by tar alone. Nothing of our builder is in it, nor does it
 * name the image.
 * @param programs - files and folders in the image, by their path from its root
 * @param user - number of the user that it runs as
 * @param runs - what it runs, and the environment of that. @default - the first of the programs
 */
export async function writeOciArchive(
  target: string,
  programs: Readonly<Record<string, string>>,
  user: number,
  runs: { readonly entrypoint?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'meshwright-oci-'));
  try {
    const [files, layout] = [join(scratch, 'files'), join(scratch, 'layout')];
    const blobs = join(layout, 'blobs/sha256');
    for (const folder of [files, blobs]) mkdirSync(folder, { recursive: true });
    for (const [name, path] of Object.entries(programs))
      cpSync(path, join(files, name), { recursive: true, dereference: true });
    const layerFile = join(scratch, 'layer.tar');
    const names = Object.keys(programs);
    const { entrypoint = [`/${names[0] ?? ''}`], env = {} } = runs;
    const root = ['--owner=0', '--group=0', '--mode=0755', '--mtime=@0', '--sort=name'];
    await run('tar', ['--create', '--file', layerFile, ...root, '--directory', files, ...readdirSync(files)]);
    const put = (mediaType: string, content: Buffer) => {
      const hash = createHash('sha256').update(content).digest('hex');
      writeFileSync(join(blobs, hash), content);
      return { mediaType, digest: `sha256:${hash}`, size: content.length };
    };
    const json = (value: object) => Buffer.from(JSON.stringify(value));
    const type = (name: string) => `application/vnd.oci.image.${name}`;
    const layer = put(type('layer.v1.tar'), readFileSync(layerFile));
    const config = put(
      type('config.v1+json'),
      json({
        ...{ architecture: 'amd64', os: 'linux' },
        config: {
          User: String(user),
          Entrypoint: entrypoint,
          Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        },
        rootfs: { type: 'layers', diff_ids: [layer.digest] },
      }),
    );
    const manifestType = type('manifest.v1+json');
    const manifest = put(
      manifestType,
      json({ schemaVersion: 2, mediaType: manifestType, config, layers: [layer] }),
    );
    writeFileSync(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
    writeFileSync(join(layout, 'index.json'), json({ schemaVersion: 2, manifests: [manifest] }));
    await run('tar', ['--create', '--file', target, '--directory', layout, '.']);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
