import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AppConfig } from './app-config.ts';

/**
 * Beside the app's own folder: what every image is made from, and the code and settings that shape it. Folders count
 * whole, tests and documents excepted.
 */
const shared = [
  'apps/config/services.ts',
  'apps/runtime',
  'buf.gen.yaml',
  'lab/images/bundle.ts',
  'lab/images/containerfile.ts',
  'lab/images/rootfs.ts',
  'lab/images/spec.ts',
  'lab/images/specs.ts',
  'package-lock.json',
  'proto',
  // Its compiler options count when esbuild bundles.
  'tsconfig.json',
];

/**
 * The tag of an app's image: `<version>-<12 hex digits>`, the digits from SHA-256 over everything that goes into the
 * image. Equal inputs give an equal tag on any machine, and no build is needed to know it; a changed input gives a new
 * tag, so a tag is never reused for other content.
 */
export function imageTag(root: string, config: AppConfig): string {
  const hash = createHash('sha256');
  const { name, image, services, ports, httpGateway } = config;
  hash.update(`${JSON.stringify([name, image, services, ports, httpGateway])}\0`);
  for (const file of imageInputs(root, config)) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return `${config.image.version}-${hash.digest('hex').slice(0, 12)}`;
}

/**
 * The files that go into an app's image, relative to the root, ordered. Its config.yml is not among them: what the
 * image takes from it (name, image, services, ports, HTTP gateway) enters the tag by value, so that a change of replicas or
 * resources does not make a new image.
 */
export function imageInputs(root: string, config: Pick<AppConfig, 'directory'>): readonly string[] {
  return (
    [config.directory, ...shared]
      .filter((path) => existsSync(join(root, path)))
      .flatMap((path) => filesBelow(root, path))
      .filter((file) => !/\.(test\.ts|md)$/.test(file) && file !== `${config.directory}/config.yml`)
      // The transcoder's test subject, in no image.
      .filter((file) => !file.startsWith('proto/conformance/'))
      .sort()
  );
}

function filesBelow(root: string, path: string): string[] {
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() || entry.isFile() ? filesBelow(root, `${path}/${entry.name}`) : [],
  );
}
