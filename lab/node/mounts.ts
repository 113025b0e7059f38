import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';

/**
 * Host paths that daemons or pods of a node write to: each node mounts its own folders over them, in its own mount
 * namespace. On the host only empty folders have to exist as mount points.
 */
export const coveredPaths = [
  '/etc/cni',
  '/opt/cni',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
] as const;

/** Those of {@link coveredPaths} that do not exist. */
export function missingMountPoints(): readonly string[] {
  return coveredPaths.filter((path) => !existsSync(path));
}

/** Creates those of {@link coveredPaths} that do not exist. */
export function makeMountPoints(): void {
  for (const path of coveredPaths) mkdirSync(path, { recursive: true });
}

/** Removes the mount points that {@link makeMountPoints} created, unless they are no longer empty. */
export function removeMountPoints(made: readonly string[]): void {
  for (const path of made) {
    if (existsSync(path) && readdirSync(path).length === 0) rmdirSync(path);
  }
}
