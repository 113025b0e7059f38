import type { KubernetesObject } from '../../model/mesh-model.ts';
import { field, list, text } from '../../model/rendered.ts';
import { containersOf, podOf } from './containers.ts';
import { changedIn } from './leaves.ts';
import type { Violation } from './rule.ts';

/** When the controller of a StatefulSet deletes claims, unless it is told to keep them. */
const occasions = { whenDeleted: 'the StatefulSet goes', whenScaled: 'there are fewer pods' } as const;

/**
 * What makes a StatefulSet lose what its pods wrote
 * (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention): claims that are deleted, or that pods have no more.
 */
export function losesData(before: KubernetesObject, after: KubernetesObject): readonly Violation[] {
  if (before.kind !== 'StatefulSet') return [];
  const deleted = Object.entries(occasions).flatMap(([key, occasion]): readonly Violation[] => {
    const received = field(after, 'spec', 'persistentVolumeClaimRetentionPolicy', key);
    if (received === undefined || received === 'Retain') return [];
    const what = `spec.persistentVolumeClaimRetentionPolicy.${key} deletes claims, with the data, when ${occasion}`;
    return [{ what, received, fix: 'remove the patch, and delete claims by hand' }];
  });
  const claims = claimsOf(before);
  const names = claimsOf(after);
  const dropped = claims
    .filter((name) => !names.includes(name))
    .map((name) => ({
      what: `spec.volumeClaimTemplates has no ${name} any more: pods begin with nothing of what they wrote, and lose what they write`,
      received: names,
      fix: 'leave it as it is',
    }));
  const now = new Map(containersOf(podOf(after)));
  const unmounted = containersOf(podOf(before)).flatMap(([where, container]) =>
    list(container, 'volumeMounts')
      .filter((mount) => claims.includes(text(mount, 'name') ?? ''))
      .flatMap((mount): readonly Violation[] => {
        const at = field(mount, 'mountPath');
        const found = list(now.get(where), 'volumeMounts').find((one) => field(one, 'mountPath') === at);
        return changedIn(mount, found).map(({ path, received }) => ({
          what: `${where}: the mount of the claim ${text(mount, 'name') ?? ''} at ${String(at)} is changed${path === '' ? '' : `: ${path}`}`,
          received,
          fix: 'leave it as it is',
        }));
      }),
  );
  return [...deleted, ...dropped, ...unmounted];
}

function claimsOf(set: KubernetesObject): readonly string[] {
  return list(set, 'spec', 'volumeClaimTemplates').map((claim) => text(claim, 'metadata', 'name') ?? '');
}
