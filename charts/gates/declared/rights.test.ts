import { describe, expect, test } from '@jest/globals';
import { growsRights } from '../rules/role-rules.ts';
import { expectRefused, rbac, said, type Refused } from '../../testing/own-objects.ts';

const fix = 'name the verbs and resources that are needed';
const rule = (
  verbs: readonly string[],
  resources: readonly string[],
  apiGroups = [''],
  more: object = {},
) => ({
  ...{ verbs, resources, apiGroups },
  ...more,
});
const role = (...rules: object[]) => rbac('ClusterRole', { rules });
const acts = (received: readonly string[]) =>
  `ClusterRole own: rules[0] lets an account act as others, read their Secrets, or change what they may call; received ${JSON.stringify(received)}`;

test.each<[verbs: string[], resources: string[], received: string[], group: string]>([
  [['create'], ['pods/exec'], ['pods/exec'], ''],
  [['get'], ['pods/attach', 'pods/portforward'], ['pods/attach', 'pods/portforward'], ''],
  [['get'], ['nodes/proxy'], ['nodes/proxy'], ''],
  [['patch'], ['pods/ephemeralcontainers'], ['pods/ephemeralcontainers'], ''],
  [['create'], ['serviceaccounts/token'], ['serviceaccounts/token'], ''],
  [['get'], ['secrets'], ['secrets'], ''],
  [['watch'], ['secrets'], ['secrets'], ''],
  [['update'], ['endpoints', 'services'], ['services', 'endpoints'], ''],
  [['*'], ['pods'], ['pods'], ''],
  [['create'], ['deployments'], ['deployments'], 'apps'],
  [
    ['update'],
    ['certificatesigningrequests/approval'],
    ['certificatesigningrequests/approval'],
    'certificates.k8s.io',
  ],
  [
    ['patch'],
    ['mutatingwebhookconfigurations'],
    ['mutatingwebhookconfigurations'],
    'admissionregistration.k8s.io',
  ],
])('a role that may %j %j is refused, unless there is a reason', (verbs, resources, received, group) => {
  const object = role(rule(verbs, resources, [group]));
  expectRefused(object, 'least-rights', acts(received), fix);
});

test('rights on names that are said, to read what tells nothing of others, or of another API are right', () => {
  expect(
    said(
      role(
        rule(['get'], ['secrets'], [''], { resourceNames: ['own'] }),
        rule(['get', 'list', 'watch'], ['pods', 'services', 'configmaps']),
        rule(['*'], ['*'], ['argoproj.io']),
        rule(['delete'], ['pods']),
      ),
    ),
  ).toEqual([]);
});

const collected: readonly Refused[] = [
  [
    'rules that are collected from other roles',
    rbac('ClusterRole', { rules: [], aggregationRule: { clusterRoleSelectors: [] } }),
    'least-rights',
    'ClusterRole own: aggregationRule takes its rules from whatever ClusterRoles have a label; received {"clusterRoleSelectors":[]}',
    'write the rules',
  ],
  [
    'rules that everybody gets who may view',
    {
      ...role(rule(['get'], ['pods'])),
      labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' },
    },
    'least-rights',
    'ClusterRole own: a label adds its rules to a role of Kubernetes\' own, and so to everybody who has that; received "rbac.authorization.k8s.io/aggregate-to-view"',
    'remove it, and bind the role to the accounts that need it',
  ],
];

test.each(collected)('%s are refused, unless there is a reason', (_, object, name, what, todo) => {
  expectRefused(object, name, what, todo);
});

describe('roles that grow', () => {
  const fix = 'name the verbs and resources that are needed, for the account that needs them';
  const rbac = (kind: string, parts: object, apiVersion = 'rbac.authorization.k8s.io/v1') =>
    growsRights({ apiVersion, kind, metadata: { name: 'one' }, ...parts });
  const role = (...rules: unknown[]) => rbac('ClusterRole', { rules });
  const rule = (verbs: unknown, resources: unknown = ['pods'], apiGroups: unknown = ['']) => ({
    verbs,
    resources,
    apiGroups,
  });
  const more = (index: number, received: string) => ({
    what: `rules[${index}] lets an account give itself more rights`,
    received,
    fix,
  });

  test.each(['Role', 'ClusterRole'])('a %s that allows everything', (kind) => {
    expect(rbac(kind, { rules: [rule(['get']), rule(['*'], ['*'], ['*'])] })).toEqual([
      { what: 'rules[1] allows everything', received: '*', fix },
    ]);
  });

  test.each(['escalate', 'bind', 'impersonate'])('the verb %s gives more, on whatever it is', (verb) => {
    expect(role(rule(['get', verb], ['serviceaccounts']))).toEqual([more(0, verb)]);
  });

  test('each such verb is told, beside a rule that allows everything', () => {
    expect(role(rule(['bind', 'escalate']), rule(['*', 'bind'], ['*'], ['*']))).toEqual([
      more(0, 'bind'),
      more(0, 'escalate'),
      { what: 'rules[1] allows everything', received: '*', fix },
      more(1, 'bind'),
    ]);
  });

  test.each([
    ['roles', 'rbac.authorization.k8s.io'],
    ['clusterroles', 'rbac.authorization.k8s.io'],
    ['users', ''],
    ['groups', ''],
    ['serviceaccounts', ''],
  ])('every verb on %s holds those that give more, by name and by wildcard', (resource, group) => {
    expect(role(rule(['*'], [resource], [group]))).toEqual([more(0, '*')]);
    expect(role(rule(['*'], ['*'], [group]))).toEqual([more(0, '*')]);
    expect(role(rule(['*'], ['pods', resource], ['apps', group]))).toEqual([more(0, '*')]);
    expect(role(rule(['*'], [resource], ['*']))).toEqual([more(0, '*')]);
    expect(role(rule(['get', 'list', 'create'], [resource], [group]))).toEqual([]);
    expect(role(rule(['*'], [resource], ['apps']))).toEqual([]);
  });

  test.each([
    rule(['*']),
    rule(['get'], ['*'], ['*']),
    rule(['*'], ['deployments'], ['*']),
    rule(['*'], ['*'], ['apps']),
    rule('*', '*', '*'),
    {},
    null,
  ])('%j gives no more than it says', (one) => {
    expect(role(one)).toEqual([]);
  });
});
