import { expect, test } from '@jest/globals';
import { unprotectedState } from './pulumi-state.ts';

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
}

const resource = (name: string, kind: string, protect = true): Resource => ({
  urn: `urn:pulumi:prod::shop::meshwright:infra:Mesh$meshwright:infra:Cluster$meshwright:infra:Stage$kubernetes:${kind}::${name}`,
  type: `kubernetes:${kind}`,
  ...(protect && { protect }),
});

test('of clusters that leave, the protection goes, and what may hold objects of others is only forgotten; others stay as they are', () => {
  const resources: readonly Resource[] = [
    resource('west/istio-system/cacerts', 'core/v1:Secret'),
    resource('west/shop', 'core/v1:Namespace', false),
    resource('west/shop/catalog', 'apps/v1:Deployment', false),
    { ...resource('west/shop/orders', 'core/v1:PersistentVolumeClaim', false), retainOnDelete: true },
    resource('westend/istio-system/cacerts', 'core/v1:Secret'),
    resource('east/west/cacerts', 'core/v1:Secret'),
    resource('east/shop', 'core/v1:Namespace', false),
    { urn: 'urn:pulumi:prod::shop::meshwright:infra:Cluster::west', type: 'meshwright:infra:Cluster' },
  ];
  const [cacerts, namespace, deployment, ...rest] = resources;
  const { protect, ...free } = cacerts!;
  expect(protect).toBe(true);
  expect(unprotectedState({ version: 3, deployment: { resources } }, ['west'])).toEqual({
    version: 3,
    deployment: { resources: [free, { ...namespace, retainOnDelete: true }, deployment, ...rest] },
  });
});
