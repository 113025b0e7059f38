import { describe, expect, test } from '@jest/globals';
import { anySourceAnnotation } from '../../model/labels.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { bindsMore, openToAll } from './cluster-rules.ts';

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
    bindsMore({ apiVersion, kind, metadata: { name: 'one' }, ...parts });
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
      { kind: 'User', name: 'system:serviceaccount:shop:cart' },
      { kind: 'User', name: 'system:kube-scheduler' },
    ];
    const everybody = [
      ...all.map((received) => ({
        what: 'subjects has a group that contains every account, or everybody',
        received,
        fix,
      })),
      ...['system:serviceaccounts:shop', 'system:kube-scheduler'].map((received) => ({
        what: "subjects has a group or a user of Kubernetes' own",
        received,
        fix,
      })),
    ];
    expect(rbac(kind, { roleRef: { name: 'cluster-admin' }, subjects })).toEqual([
      { what: 'roleRef gives every right', received: 'cluster-admin', fix },
      ...everybody,
    ]);
    expect(rbac(kind, { roleRef: { name: 'view' }, subjects })).toEqual(everybody);
    for (const name of ['admin', 'edit', 'system:node']) {
      const what =
        'roleRef is a role of Kubernetes for its users or its own parts, whose rights are those of others, too';
      expect(rbac(kind, { roleRef: { kind: 'ClusterRole', name } })).toEqual([{ what, received: name, fix }]);
      expect(rbac(kind, { roleRef: { kind: 'Role', name } })).toEqual([]);
    }
  });

  test('other groups have their own roles', () => {
    const parts = { roleRef: { name: 'cluster-admin' } };
    expect(rbac('ClusterRoleBinding', parts, 'iam.example/v1')).toEqual([]);
    expect(rbac('ClusterRoleBinding', parts, 'rbac.authorization.k8s.io/v1beta1')).toHaveLength(1);
  });
});
