import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';

/**
 * Host paths that daemons or pods of a node write to: each node covers them with folders of its own, in its own
 * mount namespace. Only the empty folders to mount on have to exist on the host.
 */
export const coveredPaths = [
  '/etc/cni',
  '/opt/cni',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
] as const;

/** Those of {@link coveredPaths} that are not there. */
export function missingMountPoints(): readonly string[] {
  return coveredPaths.filter((path) => !existsSync(path));
}

/** Makes those of {@link coveredPaths} that are not there. */
export function makeMountPoints(): void {
  for (const path of coveredPaths) mkdirSync(path, { recursive: true });
}

/** Removes those mount points again that {@link makeMountPoints} made, unless somebody has put something there. */
export function removeMountPoints(made: readonly string[]): void {
  for (const path of made) {
    if (existsSync(path) && readdirSync(path).length === 0) rmdirSync(path);
  }
}
