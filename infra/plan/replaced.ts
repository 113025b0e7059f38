import { isDeepStrictEqual } from 'node:util';
import { networkLabel } from '../../charts/constructs/scope/names.ts';
import { field } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/**
 * The fields of an object that cannot be changed in place: the type of a network's gateway Service. When a Service has no
 * addresses any more after a change of type, istiod keeps its old ones until the Service is deleted.
 * Source: istio/istio, pilot/pkg/serviceregistry/kube/controller, `addOrUpdateService`.
 */
export function replacedBy(object: KubeObject): readonly (readonly string[])[] {
  const isGateway =
    object.kind === 'Service' && field(object, 'metadata', 'labels', networkLabel) !== undefined;
  return isGateway ? [['spec', 'type']] : [];
}

/** Whether the wanted object replaces the live one instead of changing it. */
export function isReplaced(object: KubeObject, live: KubeObject): boolean {
  return replacedBy(object).some((path) => !isDeepStrictEqual(field(object, ...path), field(live, ...path)));
}
