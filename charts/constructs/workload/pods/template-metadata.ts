import type { Problem } from '../../../../core/problem.ts';
import type { KubernetesObject } from '../../../model/mesh-model.ts';
import { title } from '../../../model/rendered.ts';
import { templatePath } from './pod-spec.ts';
import { found } from './pointer.ts';

const finalizers = 'finalizers';
const ownerReferences = 'ownerReferences';

/**
 * What a patch puts into the metadata of a template that no reason excuses, as it takes effect after everybody has looked, or never: with
 * finalizers pods and Jobs stay at their end, until somebody takes those away, and `up` and `down` wait for them in vain; their owner
 * Kubernetes sets itself; and with owners of its own, a claim of a StatefulSet goes with them, and the data (StatefulSets take claims as their
 * templates have them).
 * @param after - the object with the patch
 */
export function templateMetadataProblem(
  after: KubernetesObject,
): Pick<Problem, 'what' | 'received' | 'fix'> | undefined {
  for (const [path, key, what, fix] of keptIn(after)) {
    const value = found(after, [...path, 'metadata', key])?.value;
    if (value === undefined) continue;
    return {
      what: `${[...path, 'metadata', key].join('.')} of ${title(after)} is not for a patch: ${what}`,
      received: value,
      fix,
    };
  }
  return undefined;
}

type Kept = readonly [path: readonly string[], key: string, what: string, fix: string];

function keptIn(object: KubernetesObject): readonly Kept[] {
  const pods = templatePath(object.kind);
  const runs = object.kind === 'CronJob' ? [['spec', 'jobTemplate']] : [];
  const remove = 'remove the patch';
  const stays = 'what is made from it would not go at its end, and up and down would wait for that in vain';
  const claims = found(object, ['spec', 'volumeClaimTemplates'])?.value;
  return [
    ...[pods, ...runs].flatMap((path): readonly Kept[] => [
      [path, finalizers, stays, remove],
      [path, ownerReferences, 'Kubernetes takes no notice, and sets the owner itself', remove],
    ]),
    ...(Array.isArray(claims) ? claims : []).map((_, index): Kept => {
      const lost = 'the claims would go with their owner, and the data';
      return [['spec', 'volumeClaimTemplates', String(index)], ownerReferences, lost, remove];
    }),
  ];
}
