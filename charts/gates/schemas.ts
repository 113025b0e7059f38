import { EnvoyFilter } from '@kubernetes-models/istio/networking.istio.io/v1alpha3';
import { ServiceEntry } from '@kubernetes-models/istio/networking.istio.io/v1';
import { RequestAuthentication } from '@kubernetes-models/istio/security.istio.io/v1';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { CronJob } from 'kubernetes-models/batch/v1/CronJob';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ClusterRole } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole';
import { ClusterRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding';
import { Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role';
import { RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { LimitRange } from 'kubernetes-models/v1/LimitRange';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { Pod } from 'kubernetes-models/v1/Pod';
import { ResourceQuota } from 'kubernetes-models/v1/ResourceQuota';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import type { Problem } from '../../core/problem.ts';
import { istioModels, validator } from '../model/istio-models.ts';
import type { KubernetesObject } from '../model/mesh-model.ts';
import { title } from '../model/rendered.ts';
import type { RenderedMesh } from '../model/rendered.ts';

const models = [
  ...[ClusterRole, ClusterRoleBinding, ConfigMap, CronJob, DaemonSet, Deployment, HorizontalPodAutoscaler],
  ...[Job, LimitRange, Namespace, NetworkPolicy, PersistentVolumeClaim, Pod, PodDisruptionBudget],
  ...[ResourceQuota, Role, RoleBinding, Service, ServiceAccount, StatefulSet],
  ...[EnvoyFilter, RequestAuthentication, ServiceEntry],
];

/** How each kind is checked, by apiVersion and kind. */
const schemas = new Map<string, (resource: never) => readonly string[]>([
  ...models.map((model) => [`${model.apiVersion} ${model.kind}`, validator(model)] as const),
  ...Object.entries(istioModels).map(
    ([kind, { apiVersion, validate }]) => [`${apiVersion} ${kind}`, validate] as const,
  ),
]);

/** Whether a schema is at hand for an object's kind. */
export function hasSchema({ apiVersion, kind }: KubernetesObject): boolean {
  return schemas.has(`${apiVersion} ${kind}`);
}

/**
 * Every object must fit the schema of its kind: types, required fields, enumerations, patterns, and no key that the schema does
 * not know. A kind without a schema is accepted only when it was added as a custom resource; of Istio's own kinds that is
 * IstioOperator, whose schema leaves its body open.
 */
export function schemaProblems({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap(({ objects }) =>
    objects.flatMap(({ where, object, custom }): readonly Problem[] => {
      const { apiVersion, kind } = object;
      if (kind.endsWith('List') && Array.isArray(object['items'])) {
        const what = `${title(object)}: a list hides its objects from the gates, and the API server does not accept it`;
        return [{ where, what, received: `${apiVersion} ${kind}`, fix: 'add each object on its own' }];
      }
      if ('status' in object) {
        const what = `${title(object)}: status is written by the cluster, and has no effect here`;
        return [{ where, what, fix: 'remove it' }];
      }
      const validate = schemas.get(`${apiVersion} ${kind}`);
      if (validate !== undefined) {
        return validate(object as never).map((what) => ({ where, what: `${title(object)}: ${what}` }));
      }
      if (custom) return [];
      return [
        {
          where,
          what: `${title(object)}: there is no schema for this kind`,
          received: `${apiVersion} ${kind}`,
          fix: 'add its model to charts/gates/schemas.ts, or add the object with addCustom',
        },
      ];
    }),
  );
}
