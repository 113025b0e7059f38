import { describe, expect, test } from '@jest/globals';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { GrpcService } from '../../constructs/workload/grpc-service.ts';
import { problemsWith } from '../../testing/custom.ts';
import { image } from '../../testing/foreign.ts';
import { expectRefused, rbac, said, type Own, type Refused } from '../../testing/own-objects.ts';

const subjects = [{ kind: 'ServiceAccount', name: 'own', namespace: 'shop' }];
const binding = (kind: string, roleKind: string, name: string, namespace?: string): Own => ({
  ...rbac(kind, { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name }, subjects }),
  namespace,
});
const unknown = 'roleRef is a role that is not declared, so that nobody sees what it gives';

const cases: readonly Refused[] = [
  [
    'every right of istiod',
    binding('ClusterRoleBinding', 'ClusterRole', 'istiod-clusterrole-istio-system'),
    'least-rights',
    `ClusterRoleBinding own: ${unknown}; received "istiod-clusterrole-istio-system"`,
    'declare the role',
  ],
  [
    'a Role of who knows whom',
    binding('RoleBinding', 'Role', 'leader', 'shop'),
    'least-rights',
    `RoleBinding shop/own: ${unknown}; received "leader"`,
    'declare the role',
  ],
];

test.each(cases)('a binding to %s is refused, unless there is a reason', (_, object, rule, what, fix) => {
  expectRefused(object, rule, what, fix);
});

test('so is one to the role of a declared workload, whose rights it gives away', () => {
  const pod = { kubernetesApi: { rules: [{ resources: ['pods'], verbs: ['list'] }] } };
  const found = problemsWith(
    (into) => {
      const metadata = { name: 'own', namespace: 'shop' };
      const type = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' };
      into.addCustom('40-services', type, metadata, binding('RoleBinding', 'Role', 'reader', 'shop').body);
    },
    (_, shop) => new GrpcService(shop, 'reader', { image, service: CatalogService, port: 7070, pod }),
  );
  expect(found).toEqual([
    'demo/custom: RoleBinding shop/own: roleRef is a role of demo/shop/reader, whose rights it gives away; received "reader"; ' +
      'fix: bind a role of your own; or, if it has to be so, give the reason in its annotation meshwright/accept-least-rights',
  ]);
});

describe('a role that reads a Secret by its name', () => {
  const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['cacerts'] }];
  const role = (kind: string, namespace?: string): Own => ({ ...rbac(kind, { rules }), namespace });
  const told = (name: string, kind: string) => [
    `demo/custom: ${name}: ${kind} own is bound where the mesh has Secrets, and reads those of these names; received ["cacerts"]; ` +
      'fix: bind it by a RoleBinding in the namespace of the application; or, if it has to be so, give the reason in its annotation meshwright/accept-least-rights',
  ];

  test('is not bound in every namespace, nor in one of the mesh itself', () => {
    expect(said(role('ClusterRole'), binding('ClusterRoleBinding', 'ClusterRole', 'own'))).toEqual(
      told('ClusterRoleBinding own', 'ClusterRole'),
    );
    const inside = 'istio-system';
    expect(said(role('ClusterRole'), binding('RoleBinding', 'ClusterRole', 'own', inside))).toEqual(
      told('RoleBinding istio-system/own', 'ClusterRole'),
    );
    expect(said(role('Role', inside), binding('RoleBinding', 'Role', 'own', inside))).toEqual(
      told('RoleBinding istio-system/own', 'Role'),
    );
  });

  test('is bound in a namespace of applications', () => {
    expect(said(role('ClusterRole'), binding('RoleBinding', 'ClusterRole', 'own', 'shop'))).toEqual([]);
    expect(said(role('Role', 'shop'), binding('RoleBinding', 'Role', 'own', 'shop'))).toEqual([]);
  });
});

test('a role of Kubernetes that reads no Secrets is bound without a reason', () => {
  expect(said(binding('ClusterRoleBinding', 'ClusterRole', 'view'))).toEqual([]);
});
