import { labelManaged } from '../../kube/kube-object.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { MeshIdentity } from '../../preflight/identity.ts';
import type { KubeApi } from '../../testing/kube-api.ts';
import { modelOf } from '../../testing/models.ts';
import { removeMesh } from '../remove.ts';

/** An object of any kind. */
export const object = (
  apiVersion: string,
  kind: string,
  name: string,
  namespace?: string,
  fields: object = {},
): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }), ...fields },
});
/** A mesh of a service, with its control plane. */
export const ours = [
  object('v1', 'Namespace', 'shop'),
  object('v1', 'Namespace', 'istio-system'),
  object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'gateways.networking.istio.io'),
  object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'istiod'),
  object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'istio-sidecar-injector'),
  object('apps/v1', 'Deployment', 'istiod', 'istio-system'),
  object('v1', 'Service', 'catalog', 'shop'),
  object('apps/v1', 'Deployment', 'catalog', 'shop'),
].map((one) => appliedBy('meshwright', one));

/** As an engine left it. */
export function appliedBy(manager: string, { metadata, ...rest }: KubeObject): KubeObject {
  const managedFields = [{ manager, operation: 'Apply' }];
  return labelManaged({ ...rest, metadata: { ...metadata, managedFields } } as KubeObject, 'shop');
}

/** Puts objects into a cluster, each as a copy. */
export function storeIn(api: KubeApi, objects: readonly KubeObject[]): void {
  for (const one of objects) api.put({ ...one, metadata: { ...one.metadata } });
}

/** Takes the mesh down in a cluster, and gives what is told. */
export async function removeIn(
  api: KubeApi,
  trustDir: string,
  identity: MeshIdentity = {},
): Promise<readonly string[]> {
  const lines: string[] = [];
  await removeMesh(modelOf(['east']), {
    access: { east: { kubeconfig: api.kubeconfig, context: 'east' } },
    ...{ trustDir, identity, report: (line: string) => lines.push(line) },
  });
  return lines;
}
