import { growingVerbs, rightsOfOthers, type Rights } from '../apps/config/pod/rights.ts';
import type { Problem } from '../core/problem.ts';
import { boundProblems, rightsIn } from './own-bindings.ts';
import { isAccepted, orReason } from './gates/declared/own.ts';
import type { Violation } from './gates/rules/rule.ts';
import type { KubernetesObject } from './model/mesh-model.ts';
import { field, groupOf, list, mapping, title } from './model/rendered.ts';
import type { RenderedMesh, RenderedObject } from './model/rendered.ts';

const rule = 'least-rights';

/** Label by which a ClusterRole's rules become those of everybody who has a role of Kubernetes' own. */
const aggregated = 'rbac.authorization.k8s.io/aggregate-to-';

/**
 * Roles that allow everything or grow by themselves; and those of one's own that give rights of others, as those of `kubernetesApi` may not without a reason,
 * or whose rules are not what they say: collected from other roles, or added to those of Kubernetes' own; and bindings of one's own to roles that are not. A gate beside gates/, as the table of rights is
 * that of a declaration.
 */
export function rightsGiven({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) =>
    cluster.objects
      .filter((one) => groupOf(one.object) === 'rbac.authorization.k8s.io' && !isAccepted(one, rule))
      .flatMap((one) => [
        ...growing(one),
        ...(one.own === true
          ? [...ofOthers(one), ...collected(one), ...boundProblems(one, cluster, rule)]
          : []),
      ]),
  );
}

/** Whether a rule allows everything. */
function allowsEverything({ verbs, resources, apiGroups }: Rights): boolean {
  return [verbs, resources, apiGroups].every((all) => all.includes('*'));
}

function growing({ where, object }: RenderedObject): readonly Problem[] {
  return growsRights(object).map(({ what, received, fix }) => ({
    where,
    what: `${title(object)}: ${what}`,
    received,
    fix: orReason(fix, rule),
  }));
}

/** Rules of a role that allow everything, or by which an account gives itself more. */
export function growsRights(object: KubernetesObject): readonly Violation[] {
  if (object.kind.endsWith('Binding')) return [];
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

function ofOthers({ where, object }: RenderedObject): readonly Problem[] {
  return list(object, 'rules').flatMap((given, index): readonly Problem[] => {
    const rights = rightsIn(given);
    if (allowsEverything(rights)) return [];
    const received = rightsOfOthers(rights).filter((one) => !growingVerbs(rights).includes(one));
    if (received.length === 0) return [];
    const what = `${title(object)}: rules[${index}] lets an account act as others, read their Secrets, or change what they may call`;
    return [{ where, what, received, fix: orReason('name the verbs and resources that are needed', rule) }];
  });
}

function collected({ where, object }: RenderedObject): readonly Problem[] {
  const rules = field(object, 'aggregationRule');
  return [
    ...(rules === undefined
      ? []
      : [
          {
            where,
            what: `${title(object)}: aggregationRule takes its rules from whatever ClusterRoles have a label`,
            received: rules,
            fix: orReason('write the rules', rule),
          },
        ]),
    ...Object.keys(mapping(object, 'metadata', 'labels'))
      .filter((label) => label.startsWith(aggregated))
      .map((received) => ({
        where,
        what: `${title(object)}: a label adds its rules to a role of Kubernetes' own, and so to everybody who has that`,
        received,
        fix: orReason('remove it, and bind the role to the accounts that need it', rule),
      })),
  ];
}
