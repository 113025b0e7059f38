import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import { notSecretAnnotation } from '../../../gates/secrets.ts';
import type { Metadata } from '../../scope/projection.ts';

/** The paths that are said to be no secrets: those of files, or those of containers. */
export function notSecretPaths({ notSecret: said = {} }: PodConfig, ofFiles: boolean): readonly string[] {
  return Object.keys(said).filter((path) => path.startsWith('data.') === ofFiles);
}

/** The annotation with these paths; none where there are none. */
export function notSecret(paths: readonly string[]): Pick<Metadata, 'annotations'> {
  if (paths.length === 0) return {};
  return { annotations: { [notSecretAnnotation]: [...new Set(paths)].sort().join(',') } };
}
