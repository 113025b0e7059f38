import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { Mesh, lab } from '../../charts/index.ts';
import { catalogIn } from '../../charts/testing/mesh.ts';
import { keptProject } from '../../charts/testing/project.ts';
import { shopInTwo } from '../../charts/testing/shop.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/** The root of a project with the apps of the meshes. */
export const root = keptProject({ catalog: { replicas: 1 } });

/** The shop in two clusters, and the catalog alone in three. */
export const meshes: readonly (readonly [clusters: string, declare: () => Mesh<string>])[] = [
  ['two', () => shopInTwo(root)],
  [
    'three',
    () => {
      const mesh = new Mesh('wide', {
        root,
        trustDomain: 'wide.example',
        clusters: {
          north: { network: 'net-north', region: 'region-n', zone: 'zone-n1' },
          south: { network: 'net-south', region: 'region-s', zone: 'zone-s1' },
          center: { network: 'net-center', region: 'region-c', zone: 'zone-c1' },
        },
        platform: lab,
      });
      catalogIn(mesh.namespace('shop'));
      return mesh;
    },
  ],
];

const inSystem = (kind: string, name: string, rest: object = {}, apiVersion = 'v1') => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'istio-system' },
  ...rest,
});
const webhooks = 'admissionregistration.k8s.io/v1';
const whole = (kind: string, name: string, rest: object, apiVersion: string) => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});

/** An Istio release in small: something of every wave, unordered. */
const release: readonly KubeObject[] = [
  whole(
    'ValidatingWebhookConfiguration',
    'istio-validator',
    { webhooks: [{ name: 'rev.validation.istio.io', failurePolicy: 'Ignore' }] },
    webhooks,
  ),
  whole(
    'MutatingWebhookConfiguration',
    'istio-sidecar-injector',
    { webhooks: [{ name: 'namespace.sidecar-injector.istio.io' }] },
    webhooks,
  ),
  inSystem(
    'HorizontalPodAutoscaler',
    'istiod',
    {
      spec: {
        minReplicas: 1,
        maxReplicas: 2,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'istiod' },
      },
    },
    'autoscaling/v2',
  ),
  inSystem('Deployment', 'istiod', { spec: { selector: { matchLabels: { app: 'istiod' } } } }, 'apps/v1'),
  inSystem('Service', 'istiod', { spec: { ports: [{ port: 15012 }] } }),
  inSystem('ConfigMap', 'istio', { data: { mesh: 'trustDomain: shop.example' } }),
  inSystem('ServiceAccount', 'istiod'),
  whole(
    'ClusterRoleBinding',
    'istio-reader',
    { roleRef: { kind: 'ClusterRole', name: 'istio-reader' } },
    'rbac.authorization.k8s.io/v1',
  ),
  whole('ClusterRole', 'istio-reader', { rules: [] }, 'rbac.authorization.k8s.io/v1'),
  whole(
    'CustomResourceDefinition',
    'gateways.networking.istio.io',
    { spec: { group: 'networking.istio.io' } },
    'apiextensions.k8s.io/v1',
  ),
];

/** Writes a program in place of istioctl that renders {@link release}, changed if need be, and returns its path. */
export function writeIstioctl(
  folder: string,
  change: (object: KubeObject) => KubeObject = (object) => object,
): string {
  const file = join(folder, 'istioctl');
  const manifests = release.map((object) => stringify(change(object))).join('---\n');
  writeFileSync(file, `#!/bin/sh\ncat <<'EOF'\n${manifests}EOF\n`);
  chmodSync(file, 0o755);
  return file;
}
