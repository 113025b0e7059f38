import type { Problem } from '../../../core/problem.ts';
import { title } from '../../model/rendered.ts';
import type { RenderedMesh } from '../../model/rendered.ts';

/**
 * Names of what Istio's installer makes from the mesh's IstioOperators, by kind: of a namespace where they are in one. `up`
 * applies those beside dist/, and two objects of one name would take each other's place again and again.
 */
const installed: Readonly<Record<string, RegExp | undefined>> = {
  MutatingWebhookConfiguration: /^istio-(?:sidecar-injector|revision-tag)/,
  ValidatingWebhookConfiguration: /^istiod?-(?:validator|default-validator)/,
  ConfigMap: /^istio-system\/(?:istio|istio-.+|values|values-.+)$/,
  Deployment: /^istio-system\/istiod(?:-.+)?$/,
  Service: /^istio-system\/istiod(?:-.+)?$/,
  ServiceAccount: /^istio-system\/istio(?:d(?:-.+)?|-cni|-reader-service-account)$/,
  DaemonSet: /^istio-system\/istio-cni-node$/,
  ClusterRole: /^istiod?-(?:clusterrole|gateway-controller|reader-clusterrole|cni)/,
  ClusterRoleBinding: /^istiod?-(?:clusterrole|gateway-controller|reader-clusterrole|cni)/,
  CustomResourceDefinition: /\.istio\.io$/,
};

/** The part of a mesh that sets Istio up; no other construct can have its path. */
const controlPlane = /^[^/]+\/ControlPlane$/;

/**
 * Istio is set up by the mesh alone: no other construct adds an IstioOperator, which would be one more control plane, or an
 * object with the name of one that the installer makes.
 */
export function installersOwn({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap(({ objects }) =>
    objects.flatMap(({ where, object }): readonly Problem[] => {
      if (controlPlane.test(where)) return [];
      const { name, namespace } = object.metadata;
      if (object.kind === 'IstioOperator') {
        const what = `${title(object)} would install another control plane, in addition to those of the mesh`;
        return [{ where, what, fix: 'remove it; control planes are declared with `istio` of a cluster' }];
      }
      const full = namespace === undefined ? name : `${namespace}/${name}`;
      if (installed[object.kind]?.test(full) !== true) return [];
      const what = `${title(object)} has the name of an object that Istio's installer creates`;
      return [{ where, what, fix: 'rename it; the mesh installs Istio itself' }];
    }),
  );
}
