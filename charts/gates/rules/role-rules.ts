import { growingVerbs, type Rights } from '../../../core/rights.ts';
import { groupOf, list, texts } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import type { Violation } from './rule.ts';

/** What a rule of a Role allows, whatever of it is missing. */
export function rightsIn(given: unknown): Rights {
  return {
    apiGroups: texts(given, 'apiGroups'),
    resources: texts(given, 'resources'),
    resourceNames: texts(given, 'resourceNames'),
    verbs: texts(given, 'verbs'),
  };
}

/** Whether a rule allows everything. */
export function allowsEverything({ verbs, resources, apiGroups }: Rights): boolean {
  return [verbs, resources, apiGroups].every((all) => all.includes('*'));
}

/** Rules of a role that allow everything, or by which an account gives itself more. */
export function growsRights(object: KubernetesObject): readonly Violation[] {
  if (groupOf(object) !== 'rbac.authorization.k8s.io' || object.kind.endsWith('Binding')) return [];
  const fix = 'name the verbs and resources that are needed, for the account that needs them';
  return list(object, 'rules').flatMap((given, index) => {
    const rights = rightsIn(given);
    const isAll = allowsEverything(rights);
    // What allows everything is told as that.
    const more = growingVerbs(rights).filter((verb) => !(isAll && verb === '*'));
    return [
      ...(isAll ? [{ what: `rules[${index}] allows everything`, received: '*', fix }] : []),
      ...more.map((received) => ({
        what: `rules[${index}] lets an account give itself more rights`,
        received,
        fix,
      })),
    ];
  });
}
