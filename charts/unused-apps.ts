import { loadConfigs } from '../apps/config/app-config.ts';
import { gatewayApp } from '../apps/config/folders.ts';
import type { Problem } from '../core/problem.ts';
import type { Mesh } from './constructs/mesh.ts';
import { CallingPods } from './constructs/workload/calling-pods.ts';

/**
 * App folders that are built, and that none of the meshes runs: a forgotten declaration looks just like one that is not
 * wanted yet.
 * @param root - project root
 * @param meshes - those of all environments
 */
export function unusedApps(root: string, meshes: readonly Mesh<string>[]): readonly Problem[] {
  const parts = meshes.flatMap((mesh) => mesh.node.findAll()).filter((part) => part instanceof CallingPods);
  const used = new Set([gatewayApp, ...parts.flatMap(({ apps }) => apps)]);
  return loadConfigs(root)
    .filter(({ directory }) => !used.has(directory))
    .map(({ directory }) => ({
      where: directory,
      what: 'no construct of mesh.ts runs this app, so nothing is rendered for it',
      fix: `declare it, such as by new GrpcService(namespace, NAME, { app: '${directory}', service }), or remove the folder`,
    }));
}
