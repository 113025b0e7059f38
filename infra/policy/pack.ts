import { PolicyPack } from '@pulumi/policy';
import { rules } from './rules.ts';
import type { Rule } from './rules.ts';
import type { KubeObject } from '../kube/kube-object.ts';

// Pulumi checks every resource with this pack before it creates or changes it, and stops at a violation.
new PolicyPack('meshwright', {
  enforcementLevel: 'mandatory',
  policies: rules.map(({ name, description, violations }: Rule) => ({
    name,
    description,
    validateResource: ({ type, props }, reportViolation) => {
      if (!type.startsWith('kubernetes:')) return;
      for (const message of violations(props as unknown as KubeObject)) reportViolation(message);
    },
  })),
});
