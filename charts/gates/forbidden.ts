import type { Problem } from '../../core/problem.ts';
import { title } from '../model/rendered.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import type { RenderedMesh, Undone } from '../model/rendered.ts';
import { acceptedBy, violationsOf } from './rules/rule.ts';
import { declaredRules } from './rules/rules.ts';

/** The mesh's own gateways: their sources are the platform's to know, which may leave them to the cluster. */
const gateways = [
  'Service istio-ingress/istio-ingressgateway',
  'Service istio-eastwest/istio-eastwestgateway',
];

/** No object undoes what the mesh is secured by, unless it gives the reason in an annotation (rules/). */
export function forbidden({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap(({ objects }) =>
    objects.flatMap(({ where, object, undone = [] }) => [
      ...declaredRules.flatMap((rule): readonly Problem[] => {
        if (rule.name === 'known-sources' && gateways.includes(title(object))) return [];
        // What a patch undoes is told of the patch.
        if (undone.some((one) => one.rule === rule.name && one.reason === undefined)) return [];
        return violationsOf(rule, object).map(({ what, fix, ...more }) => ({
          where,
          what: `${title(object)}: ${what}`,
          ...more,
          fix: `${fix}; or, if it has to be so, give the reason in its annotation ${acceptedBy(rule.name)}`,
        }));
      }),
      ...undone.filter(({ reason }) => reason === undefined).map((one) => undoneProblem(object, one)),
    ]),
  );
}

/** A patch that undoes a guarantee, and does not say why. */
function undoneProblem(
  object: KubernetesObject,
  { where, rule, what, received, allowed, fix }: Undone,
): Problem {
  return {
    where,
    what: `undoes ${rule} of ${title(object)}: ${what}`,
    ...(received === undefined ? {} : { received }),
    ...(allowed === undefined ? {} : { allowed }),
    fix: `${fix}; or, if it has to be so, give the patch a reason`,
  };
}
