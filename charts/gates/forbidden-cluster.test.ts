import { describe, test } from '@jest/globals';
import { expectRefused, rbac, service, type Refused } from '../testing/own-objects.ts';

const rights = 'name the verbs and resources that are needed, for the account that needs them';

/** What it is, the object, the rule it is against, what is said of it, and what to do. */
const cases: readonly Refused[] = [
  ...(
    [
      ['MutatingWebhookConfiguration', 'has a program change what anybody writes in the cluster'],
      [
        'ValidatingWebhookConfiguration',
        'shows a program whatever anybody writes in the cluster, Secrets among it',
      ],
      ['MutatingAdmissionPolicy', 'changes what anybody writes in the cluster'],
    ] as const
  ).map(([kind, does]): Refused => [
    `a ${kind}`,
    { apiVersion: 'admissionregistration.k8s.io/v1', kind, namespace: undefined, body: { webhooks: [] } },
    'own-cluster',
    `${kind} own: ${does}`,
    'have the owners of the cluster apply it',
  ]),
  [
    'an API of one’s own',
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      name: 'v1.own.example',
      namespace: undefined,
      body: { spec: {} },
    },
    'own-cluster',
    'APIService v1.own.example: has a program answer for an API of the cluster, which gets what others ask and write',
    'have the owners of the cluster apply it',
  ],
  ...(['hostPath', 'local'] as const).map((key): Refused => [
    `a volume of the node: ${key}`,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      namespace: undefined,
      body: { spec: { [key]: { path: '/var/lib' } } },
    },
    'no-node-access',
    `PersistentVolume own: spec.${key} is a folder or a disk of the node; received "/var/lib"`,
    'use a volume of a CSI driver',
  ]),
  ...['admin', 'edit', 'system:auth-delegator'].map((name): Refused => [
    `a binding of ${name}`,
    {
      ...rbac('RoleBinding', {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name: 'own', namespace: 'shop' }],
      }),
      namespace: 'shop',
    },
    'least-rights',
    `RoleBinding shop/own: roleRef is a role of Kubernetes for its users or its own parts, whose rights are those of others, too; received "${name}"`,
    rights,
  ]),
  [
    'every verb on roles',
    rbac('ClusterRole', {
      rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['*'] }],
    }),
    'least-rights',
    'ClusterRole own: rules[0] lets an account give itself more rights; received "*"',
    rights,
  ],
  [
    'a binding of cluster-admin',
    rbac('ClusterRoleBinding', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'own', namespace: 'shop' }],
    }),
    'least-rights',
    'ClusterRoleBinding own: roleRef gives every right; received "cluster-admin"',
    rights,
  ],
  [
    'a role like it',
    rbac('ClusterRole', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }),
    'least-rights',
    'ClusterRole own: rules[0] allows everything; received "*"',
    rights,
  ],
  [
    'a role that leads to it',
    rbac('ClusterRole', { rules: [{ apiGroups: [''], resources: ['users'], verbs: ['impersonate'] }] }),
    'least-rights',
    'ClusterRole own: rules[0] lets an account give itself more rights; received "impersonate"',
    rights,
  ],
  [
    'a right for everybody',
    rbac('ClusterRoleBinding', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:unauthenticated' }],
    }),
    'least-rights',
    'ClusterRoleBinding own: subjects has a group that contains every account, or everybody; received "system:unauthenticated"',
    rights,
  ],
  [
    'a load balancer for the whole world',
    service({ type: 'LoadBalancer', ports: [{ name: 'http', port: 80 }] }),
    'known-sources',
    'Service shop/own: spec.loadBalancerSourceRanges is missing: any address may call this load balancer',
    'list the ranges that may, or give the reason in the annotation meshwright/any-source',
  ],
];

describe('what gives away a cluster, or more of it than its own, is refused without a reason', () => {
  test.each(cases)('%s', (_, object, rule, what, fix) => {
    expectRefused(object, rule, what, fix);
  });
});
