import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { parseImageReference } from '../../core/image-reference.ts';
import { nearest } from '../../core/names.ts';
import { ProblemsError, throwIfAny, type Problem } from '../../core/problem.ts';
import { run } from '../../core/run.ts';
import type { ImageArchive } from '../../lab/lab.ts';

/** The key of the lab's stack file that says where archives are. */
const key = 'Pulumi.lab.yaml: labImages';

/** The only part of an OCI image layout that is read here (OCI image spec, "image-layout.md"). */
const indexSchema = z.object({ manifests: z.array(z.object({ digest: z.string() })).min(1) });

/**
 * The archives of the images that pods of the lab run, and that are built elsewhere: its nodes pull nothing.
 * @param images - references in the pods
 * @param archives - files by reference, as the stack file has them
 * @throws ProblemsError (exit 2) for each image without an archive, each archive of no image, and each file that is no archive
 */
export async function broughtImages(
  images: readonly string[],
  archives: Readonly<Record<string, string>>,
): Promise<readonly ImageArchive[]> {
  const named = Object.keys(archives);
  const problems: Problem[] = [
    ...images.filter((image) => !named.includes(image)).map(missing),
    ...named.filter((image) => !images.includes(image)).map((image) => unknown(image, images)),
  ];
  const read = await Promise.all(
    images.flatMap((image) => {
      const file = archives[image];
      return file === undefined ? [] : [readArchive(image, file)];
    }),
  );
  throwIfAny([...problems, ...read.flatMap((one) => ('problem' in one ? [one.problem] : []))]);
  return read.flatMap((one) => ('archive' in one ? [one.archive] : []));
}

function missing(image: string): Problem {
  return {
    where: `image ${image}`,
    what: 'is built elsewhere, and the lab pulls no images',
    fix: `add its archive to meshwright:labImages of Pulumi.lab.yaml, '${image}': FILE, as \`docker save\` or \`skopeo copy docker://${image} oci-archive:FILE\` writes one`,
  };
}

function unknown(image: string, images: readonly string[]): Problem {
  const near = nearest(image, images);
  return {
    where: `${key}.${image}`,
    what: 'no workload of the mesh runs this image',
    allowed: images.length === 0 ? 'none' : images.join(', '),
    fix: near === undefined ? 'remove it' : `did you mean ${near}?`,
  };
}

async function readArchive(
  image: string,
  file: string,
): Promise<{ readonly archive: ImageArchive } | { readonly problem: Problem }> {
  const where = `${key}.${image}`;
  if (!existsSync(file)) {
    const what = 'there is no such file';
    return { problem: { where, what, received: file, fix: `write the archive of the image there` } };
  }
  const text = await indexOf(file);
  const index = indexSchema.safeParse(text === undefined ? undefined : parseJson(text));
  if (text === undefined || !index.success) {
    const what = 'is not the archive of an image';
    const allowed = 'a tar archive with an OCI image layout, index.json among its files';
    return { problem: { where, what, received: file, allowed } };
  }
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const manifests = index.data.manifests.map((one) => one.digest);
  const asked = parseImageReference(image)?.digest;
  if (asked !== undefined && asked !== digest && !manifests.includes(asked)) {
    const what = 'has another image than the one of this digest';
    return { problem: { where, what, received: manifests.join(', '), allowed: asked } };
  }
  // containerd looks up by the digest alone what is asked for by both.
  const reference = asked === undefined ? image : image.replace(/:[^:/@]+@/, '@');
  return { archive: { reference, archive: file, digest, manifests } };
}

/** The file index.json of a tar archive; undefined where it has none. */
async function indexOf(file: string): Promise<string | undefined> {
  for (const name of ['index.json', './index.json']) {
    try {
      const { stdout } = await run('tar', ['--extract', '--to-stdout', '--file', file, name]);
      return stdout;
    } catch (error) {
      if (!(error instanceof ProblemsError)) throw error;
    }
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
