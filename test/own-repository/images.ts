import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureNats } from '../nats/nats.ts';
import type { BuildOptions } from '../peers/go-build.ts';
import { writeOciArchive } from '../peers/oci-archive.ts';
import { writePythonImage } from '../peers/python-server.ts';

const programs = join(import.meta.dirname, 'postage');

/**
 * Writes the archives of the images that docs/your-own-repository.md declares, as builds of others would: NATS, which its team builds
 * in Go, and the programs in Python of this folder.
 * @param folder - where to
 * @param protos - the descriptors of the project's protos, as `buf build` writes them
 * @returns the archives by the references of the images, as `meshwright:labImages` has them
 * @throws ProblemsError when a package cannot be installed, or a build fails
 */
export async function writeImages(
  folder: string,
  protos: string,
  options: BuildOptions,
): Promise<Readonly<Record<string, string>>> {
  const [nats, postage] = [join(folder, 'nats.tar'), join(folder, 'postage.tar')];
  await writeOciArchive(nats, { 'nats-server': await ensureNats(options) }, 1000);
  // The server comes first: it is what the image runs.
  const names = ['server.py', ...readdirSync(programs).filter((name) => name !== 'server.py')];
  const files = Object.fromEntries(names.map((name) => [name, join(programs, name)]));
  await writePythonImage(postage, { ...files, 'protos.binpb': protos }, options);
  return { 'registry.example/nats:2.15.3': nats, 'registry.example/acme/postage:1.4.0': postage };
}
