import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeLock } from '../../images/lock.ts';

const digest = `sha256:${'0a'.repeat(32)}`;

/**
 * Writes an images.lock.json for the apps of a project that have a config.yml only: there is nothing to bundle.
 */
export function writeTestLock(root: string): void {
  const tag = (name: string) => `${versionOf(root, name)}-0a0a0a0a0a0a`;
  const apps = readdirSync(join(root, 'apps')).map((name) => [name, { tag: tag(name), digest }] as const);
  writeLock(root, {
    base: {
      platform: 'linux/amd64',
      node: '24.0.0',
      distribution: 'debian-12',
      packages: {},
      layer: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 1, diffId: digest },
    },
    apps: Object.fromEntries(apps),
  });
}

/** Not by the schema: a test may have anything in a config.yml. */
function versionOf(root: string, name: string): string {
  const text = readFileSync(join(root, 'apps', name, 'config.yml'), 'utf8');
  return /version: "?([^"\s]+)/.exec(text)?.[1] ?? '0.0.0';
}
