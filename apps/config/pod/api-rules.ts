import type { Problem } from '../../../core/problem.ts';
import type { ApiRule, KubernetesApi } from './pod.ts';

/** What runs as other accounts of its namespace, or has their tokens. */
const asOthers: readonly (readonly [group: string, resources: readonly string[]])[] = [
  [
    '',
    [
      ...['pods', 'pods/exec', 'pods/attach', 'pods/ephemeralcontainers', 'replicationcontrollers'],
      'serviceaccounts/token',
    ],
  ],
  ['apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets']],
  ['batch', ['jobs', 'cronjobs']],
];
const writing = ['create', 'update', 'patch', '*'];
/** A connection for these is opened by `get`, too. */
const opening = ['pods/exec', 'pods/attach'];

/** Rules by which a workload can act as any other of its namespace, and call what that may call: they need a reason. */
export function apiRuleProblems(where: string, { rules = [], reason }: KubernetesApi): readonly Problem[] {
  if (reason !== undefined) return [];
  return rules.flatMap((rule, index) =>
    actsAsOthers(rule).map((received) => ({
      where: `${where}.rules[${index}]`,
      what: 'lets it act as any other account of its namespace, and call what that may call',
      received,
      fix: 'name the verbs and resources that it needs; or, if it has to be so, give a reason beside rules',
    })),
  );
}

function actsAsOthers({ apiGroups = [''], resources, verbs }: ApiRule): readonly string[] {
  const holds = (all: readonly string[], name: string) => all.includes(name) || all.includes('*');
  return asOthers.flatMap(([group, names]) =>
    names.filter(
      (name) =>
        holds(apiGroups, group) &&
        holds(resources, name) &&
        verbs.some((verb) => writing.includes(verb) || (opening.includes(name) && verb === 'get')),
    ),
  );
}
