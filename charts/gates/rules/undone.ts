import type { KubernetesObject } from '../../model/mesh-model.ts';
import { guarantees } from './guarantees.ts';
import type { Violation } from './rule.ts';
import { declaredRules } from './rules.ts';

/** What an object undoes, by the rule that it is against. */
export interface UndoneRule extends Violation {
  readonly rule: string;
}

/** The rules that a patch may be against, with a reason. */
export const patchRules: readonly string[] = [
  ...declaredRules.map(({ name }) => name),
  ...guarantees.map(({ name }) => name),
];

/**
 * What an object undoes of what it was made with: it is against a rule, or without a guarantee, that it was not against, or that it had, before. Whatever led to it,
 * only the result counts.
 */
export function undoneIn(before: KubernetesObject, after: KubernetesObject): readonly UndoneRule[] {
  const ofRules = declaredRules.flatMap(({ name, violations }) => {
    const known = new Set(violations(before).map(keyOf));
    return violations(after)
      .filter((one) => !known.has(keyOf(one)))
      .map((one) => ({ rule: name, ...one }));
  });
  const ofGuarantees = guarantees.flatMap(({ name, undone }) =>
    undone(before, after).map((one) => ({ rule: name, ...one })),
  );
  return [...ofRules, ...ofGuarantees];
}

function keyOf({ what, received }: Violation): string {
  return JSON.stringify([what, received]);
}
