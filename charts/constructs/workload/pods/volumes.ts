import { createHash } from 'node:crypto';
import { k8s } from 'cdk8s-plus-28';
import type { FilesOf, Mounts, PodConfig, Projected, Volume } from '../../../../apps/config/pod/pod.ts';
import type { Metadata, Projection } from '../../scope/projection.ts';
import { notSecret, notSecretPaths } from './not-secret.ts';

type Json = Readonly<Record<string, unknown>>;

/** The volumes that are said of pods, as Kubernetes writes them. */
export function volumesOf(workload: string, { volumes = {} }: PodConfig): readonly Json[] {
  return Object.entries(volumes).map(([name, volume]) => ({ name, ...sourceOf(workload, name, volume) }));
}

/** What a container mounts, as Kubernetes writes it. Files that nobody writes are mounted read-only. */
export function mountsOf(mounts: Mounts, { volumes = {} }: PodConfig): readonly Json[] {
  return Object.entries(mounts).map(([mountPath, mount]) => {
    const { volume, readOnly, subPath } =
      typeof mount === 'string' ? { volume: mount, readOnly: undefined, subPath: undefined } : mount;
    const source = volumes[volume];
    const isWritable = source !== undefined && ('emptyDir' in source || 'claim' in source);
    return {
      name: volume,
      mountPath,
      ...(readOnly === true || !isWritable ? { readOnly: true } : {}),
      ...(subPath === undefined ? {} : { subPath }),
    };
  });
}

/**
 * Adds the ConfigMaps of volumes whose files are said. Each is immutable and has a hash of its content in its name, so that a Deployment
 * rolls when the content changes and only then (as gateway-descriptors.ts does).
 */
export function addFiles(
  into: Projection,
  { name, ...metadata }: Metadata,
  pod: PodConfig,
  clusters: readonly string[],
): void {
  const { volumes = {} } = pod;
  for (const [volume, source] of Object.entries(volumes)) {
    if (!('files' in source)) continue;
    const differs = { because: 'files are where the pods are that read them', clusters };
    into.add(
      '50-workloads',
      k8s.KubeConfigMap,
      {
        ...metadata,
        ...notSecret(notSecretPaths(pod, true).filter((path) => isOf(source.files, path))),
        name: filesName(name, volume, source.files),
        ...{ app: name, differs },
      },
      { immutable: true, data: { ...source.files } },
    );
  }
}

/** Whether a path of what is no secret is that of a file, or of a setting in it. */
function isOf(files: Readonly<Record<string, string>>, path: string): boolean {
  return Object.keys(files).some((file) => path === `data.${file}` || path.startsWith(`data.${file}.`));
}

function filesName(workload: string, volume: string, files: Readonly<Record<string, string>>): string {
  const content = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return `${workload}-${volume}-${hash.slice(0, 10)}`;
}

function sourceOf(workload: string, name: string, volume: Volume): Json {
  if ('emptyDir' in volume) return { emptyDir: { ...volume.emptyDir } };
  if ('configMap' in volume) return { configMap: filesOf(volume.configMap, 'name', 'defaultMode') };
  if ('secret' in volume) return { secret: filesOf(volume.secret, 'secretName', 'defaultMode') };
  if ('claim' in volume) return { persistentVolumeClaim: { claimName: volume.claim } };
  if ('files' in volume) return { configMap: { name: filesName(workload, name, volume.files) } };
  return { projected: { sources: volume.projected.map(partOf) } };
}

function partOf(part: Projected): Json {
  if ('configMap' in part) return { configMap: filesOf(part.configMap, 'name') };
  if ('secret' in part) return { secret: filesOf(part.secret, 'name') };
  if ('token' in part) return { serviceAccountToken: { ...part.token } };
  const items = Object.entries(part.fields).map(([path, fieldPath]) => ({ path, fieldRef: { fieldPath } }));
  return { downwardAPI: { items } };
}

/** @param mode - key of the bits of all files; where there is none, each item has its own */
function filesOf(of: FilesOf, name: 'name' | 'secretName', mode?: 'defaultMode'): Json {
  const bits = of.mode === undefined ? {} : { mode: of.mode };
  const items = Object.entries(of.items ?? {}).map(([key, path]) => ({
    key,
    path,
    ...(mode === undefined ? bits : {}),
  }));
  return {
    [name]: of.name,
    ...(items.length === 0 ? {} : { items }),
    ...(mode === undefined || of.mode === undefined ? {} : { [mode]: of.mode }),
  };
}
