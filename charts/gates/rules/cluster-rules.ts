import { anySourceAnnotation } from '../../model/labels.ts';
import { field, list, text, texts } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import type { Violation } from './rule.ts';

/** Load balancers that anybody may call, without a reason. */
export function openToAll(object: KubernetesObject): readonly Violation[] {
  if (object.kind !== 'Service' || text(object, 'spec', 'type') !== 'LoadBalancer') return [];
  if ((text(object, 'metadata', 'annotations', anySourceAnnotation) ?? '').trim() !== '') return [];
  const ranges = list(object, 'spec', 'loadBalancerSourceRanges');
  const open = ranges.find((range) => typeof range === 'string' && /\/0+$/.test(range));
  if (ranges.length > 0 && open === undefined) return [];
  const found =
    field(object, 'spec', 'loadBalancerSourceRanges') === undefined
      ? 'is missing'
      : ranges.length === 0
        ? 'is empty'
        : `contains ${String(open)}`;
  const what = `spec.loadBalancerSourceRanges ${found}: any address may call this load balancer`;
  const fix = `list the ranges that may, or give the reason in the annotation ${anySourceAnnotation}`;
  return [{ what, fix }];
}

/** Verbs by which an account gets more than it was given (https://kubernetes.io/docs/concepts/security/rbac-good-practices/). */
const growing = ['escalate', 'bind', 'impersonate'];
const everybody = [
  'system:anonymous',
  'system:unauthenticated',
  'system:authenticated',
  'system:serviceaccounts',
];

/** What an account is, and may do: every verb on it holds those that grow. */
const ownRights = [
  ['rbac.authorization.k8s.io', 'roles'],
  ['rbac.authorization.k8s.io', 'clusterroles'],
  ['', 'users'],
  ['', 'groups'],
  ['', 'serviceaccounts'],
] as const;

function covers(rule: unknown, [group, resource]: (typeof ownRights)[number]): boolean {
  const holds = (key: string, name: string) => texts(rule, key).some((one) => one === '*' || one === name);
  return holds('apiGroups', group) && holds('resources', resource);
}

/** Roles and bindings that give an account the whole cluster, or the way to it. */
export function givesCluster(object: KubernetesObject): readonly Violation[] {
  if (!object.apiVersion.startsWith('rbac.authorization.k8s.io/')) return [];
  const fix = 'name the verbs and resources that are needed, for the account that needs them';
  if (object.kind.endsWith('Binding')) {
    const role = text(object, 'roleRef', 'name');
    const subjects = list(object, 'subjects').map((subject) => text(subject, 'name') ?? '');
    const all = subjects.filter((name) => everybody.includes(name));
    return [
      ...(role === 'cluster-admin' ? [{ what: 'roleRef gives every right', received: role, fix }] : []),
      ...all.map((received) => ({
        what: 'subjects has a group that contains every account, or everybody',
        received,
        fix,
      })),
    ];
  }
  return list(object, 'rules').flatMap((rule, index) => {
    const verbs = texts(rule, 'verbs');
    const more = verbs.filter((verb) => growing.includes(verb));
    const isAll = [verbs, texts(rule, 'resources'), texts(rule, 'apiGroups')].every((all) =>
      all.includes('*'),
    );
    if (!isAll && verbs.includes('*') && ownRights.some((one) => covers(rule, one))) more.push('*');
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
