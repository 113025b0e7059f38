import { growingVerbs, rightsOfOthers } from '../../../core/rights.ts';
import type { Problem } from '../../../core/problem.ts';
import { field, groupOf, list, mapping, title } from '../../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../../model/rendered.ts';
import { allowsEverything, rightsIn } from '../rules/role-rules.ts';
import { boundProblems } from './bindings.ts';
import { isAccepted, orReason } from './own.ts';

const rule = 'least-rights';

/** Label by which a ClusterRole's rules become those of everybody who has a role of Kubernetes' own. */
const aggregated = 'rbac.authorization.k8s.io/aggregate-to-';

/**
 * Roles of one's own that give rights of others, as those of `kubernetesApi` may not without a reason, or whose rules are not what they say: collected from other
 * roles, or added to those of Kubernetes' own; and bindings of one's own to roles that are not.
 */
export function rightsGiven({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) =>
    cluster.objects
      .filter((one) => one.own === true && groupOf(one.object) === 'rbac.authorization.k8s.io')
      .filter((one) => !isAccepted(one, rule))
      .flatMap((one) => [...ofOthers(one), ...collected(one), ...boundProblems(one, cluster, rule)]),
  );
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
