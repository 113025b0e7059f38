import type { Problem } from '../../../core/problem.ts';
import { rightsOfOthers } from '../../../core/rights.ts';
import type { KubernetesApi } from './pod.ts';

/**
 * Rules by which a workload can act as any other of its namespace, read its Secrets, or change what that may call: each needs a reason of its own. A reason for
 * a rule that gives no such right would excuse what the rule becomes later.
 */
export function apiRuleProblems(where: string, { rules = [] }: KubernetesApi): readonly Problem[] {
  return rules.flatMap(({ apiGroups = [''], resourceNames = [], reason, ...rule }, index): Problem[] => {
    const at = `${where}.rules[${index}]`;
    const strong = rightsOfOthers({ apiGroups, resourceNames, ...rule });
    if (reason !== undefined) {
      if (strong.length > 0) return [];
      const what = 'excuses nothing: the rule gives no right that needs a reason';
      return [{ where: `${at}.reason`, what, received: reason, fix: 'remove it' }];
    }
    return strong.map((received) => ({
      where: at,
      what: 'lets it act as any other account of its namespace, read its Secrets, or change what that may call',
      received,
      fix: 'name the verbs and resources that it needs; or, if it has to be so, give the rule a reason',
    }));
  });
}
