import { isDeepStrictEqual } from 'node:util';
import { networkLabel } from '../../charts/constructs/scope/names.ts';
import { field } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/**
 * The fields of an object whose change takes a new object: the type of a network's gateway Service. istiod keeps the
 * addresses of a Service that had some and, as another type, has none any more, until it is deleted.
 * Source: istio/istio, pilot/pkg/serviceregistry/kube/controller, `addOrUpdateService`.
 */
export function replacedBy(object: KubeObject): readonly (readonly string[])[] {
  const isGateway =
    object.kind === 'Service' && field(object, 'metadata', 'labels', networkLabel) !== undefined;
  return isGateway ? [['spec', 'type']] : [];
}

/** Whether the object as wanted takes the place of the live one, instead of changing it. */
export function isReplaced(object: KubeObject, live: KubeObject): boolean {
  return replacedBy(object).some((path) => !isDeepStrictEqual(field(object, ...path), field(live, ...path)));
}
