import type { KubeClient } from '../kube/kube-client.ts';
import { describe, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { kubectlCommand } from '../kube/kubectl.ts';

const volumeKinds: Readonly<Record<string, string>> = {
  PersistentVolumeClaim: 'pvc',
  PersistentVolume: 'pv',
};

/** Whether an object holds data that would go with it: a claim or a volume. It is for whoever knows that it is not needed to delete it. */
export function isVolume({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && Object.hasOwn(volumeKinds, kind);
}

/** The command that deletes such an object, and the data. */
export function removalOf(client: KubeClient, { kind, metadata }: KubeObject): string {
  const place = metadata.namespace === undefined ? [] : ['-n', metadata.namespace];
  return kubectlCommand(client, ...place, 'delete', volumeKinds[kind] ?? kind, metadata.name);
}

/**
 * Tells which claims deleted StatefulSets have left. They are kept whatever is removed, as nobody else has what is on their volumes: whoever
 * knows that it is not needed deletes them.
 * @param removed - objects that were deleted, as they were in the cluster
 */
export async function tellClaims(
  client: KubeClient,
  removed: readonly KubeObject[],
  report: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const set of removed.filter(({ kind }) => kind === 'StatefulSet')) {
    const { namespace = 'default' } = set.metadata;
    const claims = await claimsOf(client, set, signal);
    if (claims === undefined) {
      const templates = templatesOf(set).join(', ');
      report(
        `${client.cluster}: claims of ${describe(set)} (${templates}) are kept, and these credentials may not list them`,
      );
      continue;
    }
    if (claims.length === 0) continue;
    const names = claims.map(({ metadata }) => metadata.name);
    const remove = kubectlCommand(client, '-n', namespace, 'delete', 'pvc', ...names);
    const listed = names.map((name) => `PersistentVolumeClaim ${namespace}/${name}`).join(', ');
    const [are, them] = names.length === 1 ? ['is', 'it'] : ['are', 'them'];
    report(
      `${client.cluster}: ${listed} ${are} kept, with what ${describe(set)} wrote; to delete ${them} and the data for good: ${remove}`,
    );
  }
}

/** Claims that the controller of a StatefulSet made (`<template>-<set>-<ordinal>`); undefined where they may not be listed. */
async function claimsOf(
  client: KubeClient,
  set: KubeObject,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[] | undefined> {
  const templates = templatesOf(set);
  const type = await client.typeOf('v1', 'PersistentVolumeClaim', signal);
  const { namespace = 'default', name } = set.metadata;
  if (templates.length === 0 || type === undefined) return [];
  const all = await client.listIfAllowed(type, { namespace, ...(signal && { signal }) });
  const starts = templates.map((template) => `${template}-${name}-`);
  return all?.filter(({ metadata }) =>
    starts.some(
      (start) => metadata.name.startsWith(start) && /^\d+$/.test(metadata.name.slice(start.length)),
    ),
  );
}

function templatesOf(set: KubeObject): readonly string[] {
  return list(set, 'spec', 'volumeClaimTemplates').flatMap(
    (template) => text(template, 'metadata', 'name') ?? [],
  );
}
