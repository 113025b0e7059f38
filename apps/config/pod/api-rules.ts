import type { Problem } from '../../../core/problem.ts';
import type { ApiRule, KubernetesApi } from './pod.ts';

/** What runs as other accounts of its namespace, has their tokens, gets to their pods past the proxy, or says what they may call. */
const asOthers: readonly (readonly [group: string, resources: readonly string[]])[] = [
  [
    '',
    [
      ...['pods', 'pods/exec', 'pods/attach', 'pods/portforward', 'pods/ephemeralcontainers'],
      ...['replicationcontrollers', 'serviceaccounts/token', 'secrets'],
    ],
  ],
  ['security.istio.io', ['authorizationpolicies', 'peerauthentications', 'requestauthentications']],
  [
    'networking.istio.io',
    [
      ...['destinationrules', 'envoyfilters', 'gateways', 'serviceentries', 'sidecars'],
      ...['virtualservices', 'workloadentries', 'workloadgroups'],
    ],
  ],
  ['apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets']],
  ['batch', ['jobs', 'cronjobs']],
];
const writing = ['create', 'update', 'patch', '*'];
/** A connection for these is opened by `get`, too. */
const opening = ['pods/exec', 'pods/attach', 'pods/portforward'];

/** Rules by which a workload can act as any other of its namespace, or change what that may call: they need a reason. */
export function apiRuleProblems(where: string, { rules = [], reason }: KubernetesApi): readonly Problem[] {
  if (reason !== undefined) return [];
  return rules.flatMap((rule, index) =>
    actsAsOthers(rule).map((received) => ({
      where: `${where}.rules[${index}]`,
      what: 'lets it act as any other account of its namespace, or change what that may call',
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
        (holds(resources, name) || resources.includes(name.replace(/^.*\//, '*/'))) &&
        verbs.some((verb) => writing.includes(verb) || (opening.includes(name) && verb === 'get')),
    ),
  );
}
