import type { ExistingIstioModel, GatewayModel, MeshModel } from '../../charts/model/mesh-model.ts';
import { describe } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from './plan.ts';

/**
 * The namespaces that a plan names. An Istio of others may carry a second mesh of the same name, which no root CA tells from this
 * one: what is in another namespace is not this mesh's.
 */
export function plannedNamespaces({ steps, existing }: Plan): readonly string[] {
  const planned = steps
    .flatMap(({ objects }) => objects)
    .flatMap(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : (metadata.namespace ?? [])));
  return [...new Set([...planned, ...(existing?.sharedNamespaces ?? [])])];
}

/** The objects outside of namespaces among these, as `describe` names them; namespaces themselves are not. */
export function outsideNamespaces(objects: readonly KubeObject[]): readonly string[] {
  const outside = objects.filter(
    ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace === undefined,
  );
  return [...new Set(outside.map(describe))];
}

/** What tells the namespaces of a mesh. */
export interface Reaching extends Pick<MeshModel, 'namespaces'> {
  readonly ingress?: Pick<GatewayModel, 'namespace'>;
  readonly existing?: Pick<ExistingIstioModel, 'ingress'>;
}

/** The same of a model: its application namespaces, and that of an ingress gateway of its own. */
export function declaredNamespaces({ namespaces, ingress, existing }: Reaching): readonly string[] {
  const own = ingress === undefined || existing?.ingress !== undefined ? [] : [ingress.namespace];
  return [...new Set([...namespaces, ...own])];
}
