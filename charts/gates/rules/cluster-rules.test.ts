import { describe, expect, test } from '@jest/globals';
import { anySourceAnnotation } from '../../model/labels.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { givesCluster, openToAll } from './cluster-rules.ts';

describe('load balancers', () => {
  const balancer = (spec: object, annotations?: object, kind = 'Service') =>
    openToAll({ apiVersion: 'v1', kind, metadata: { name: 'one', annotations }, spec } as KubernetesObject);
  const open = (found: string) => [
    {
      what: `spec.loadBalancerSourceRanges ${found}: any address may call this load balancer`,
      fix: `list the ranges that may, or give the reason in the annotation ${anySourceAnnotation}`,
    },
  ];
  const type = 'LoadBalancer';

  test.each([
    ['is missing', undefined],
    ['is empty', []],
    ['contains 0.0.0.0/0', ['10.0.0.0/8', '0.0.0.0/0']],
    ['contains ::/00', ['::/00', '0.0.0.0/0']],
  ])('is open where its list of sources %s', (found, ranges) => {
    const spec = { type, ...(ranges && { loadBalancerSourceRanges: ranges }) };
    expect(balancer(spec)).toEqual(open(found));
    for (const reason of ['', ' '])
      expect(balancer(spec, { [anySourceAnnotation]: reason })).toEqual(open(found));
    expect(balancer(spec, { [anySourceAnnotation]: 'customers call from anywhere' })).toEqual([]);
    expect(balancer(spec, undefined, 'Gateway')).toEqual([]);
    for (const other of ['ClusterIP', 'NodePort', undefined])
      expect(balancer({ ...spec, type: other })).toEqual([]);
  });

  test.each([[['10.0.0.0/8']], [['10.0.0.1/32', 'fd00::/10']], [['0.0.0.0/01']], [[7, '10.0.0.0/8']]])(
    'is not open to %j',
    (loadBalancerSourceRanges) => {
      expect(balancer({ type, loadBalancerSourceRanges })).toEqual([]);
    },
  );
});

describe('rights', () => {
  const fix = 'name the verbs and resources that are needed, for the account that needs them';
  const rbac = (kind: string, parts: object, apiVersion = 'rbac.authorization.k8s.io/v1') =>
    givesCluster({ apiVersion, kind, metadata: { name: 'one' }, ...parts });
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

  test.each(['ClusterRoleBinding', 'RoleBinding'])('a %s of every right, or for everybody', (kind) => {
    const subject = (name?: string) => ({ kind: 'Group', name });
    const all = ['anonymous', 'unauthenticated', 'authenticated', 'serviceaccounts'].map(
      (name) => `system:${name}`,
    );
    const subjects = [
      subject('team'),
      ...all.map(subject),
      subject(),
      subject('system:serviceaccounts:shop'),
    ];
    const everybody = all.map((received) => ({
      what: 'subjects has a group that contains every account, or everybody',
      received,
      fix,
    }));
    expect(rbac(kind, { roleRef: { name: 'cluster-admin' }, subjects })).toEqual([
      { what: 'roleRef gives every right', received: 'cluster-admin', fix },
      ...everybody,
    ]);
    expect(rbac(kind, { roleRef: { name: 'view' }, subjects })).toEqual(everybody);
    // What a role of this name allows is the role's own matter.
    expect(rbac(kind, { roleRef: { name: 'view' }, rules: [rule(['*'], ['*'], ['*'])] })).toEqual([]);
  });

  test('other groups have their own roles', () => {
    const parts = { rules: [rule(['*'], ['*'], ['*'])], roleRef: { name: 'cluster-admin' } };
    expect(rbac('ClusterRole', parts, 'iam.example/v1')).toEqual([]);
    expect(rbac('ClusterRoleBinding', parts, 'iam.example/v1')).toEqual([]);
    expect(rbac('ClusterRole', parts, 'rbac.authorization.k8s.io/v1beta1')).toHaveLength(1);
  });
});
