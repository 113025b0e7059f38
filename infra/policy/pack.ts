import { PolicyPack } from '@pulumi/policy';
import { violationsOf } from '../../charts/gates/rules/rule.ts';
import { packRules } from '../../charts/gates/rules/rules.ts';
import type { KubeObject } from '../kube/kube-object.ts';

// Pulumi checks every resource with this pack before it creates or changes it, and stops at a violation.
new PolicyPack('meshwright', {
  enforcementLevel: 'mandatory',
  policies: packRules.map((rule) => ({
    name: rule.name,
    description: rule.description,
    validateResource: ({ type, props }, reportViolation) => {
      if (!type.startsWith('kubernetes:')) return;
      for (const { what, fix } of violationsOf(rule, props as unknown as KubeObject)) {
        reportViolation(`${what}; ${fix}`);
      }
    },
  })),
});
