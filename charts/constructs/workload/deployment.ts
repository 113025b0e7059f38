import { JsonPatch } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { isForeign, type AnyConfig } from '../../../apps/config/app-config.ts';
import { notSecretPath } from '../../gates/secrets.ts';
import { notSecret, notSecretPaths } from './pods/not-secret.ts';
import { addAutoscaler } from './autoscaler.ts';
import { waitBeforeEnd } from './foreign-container.ts';
import { versionLabel } from '../scope/names.ts';
import { disruptionBudget, restrictedPod, spread } from './pod-defaults.ts';
import { ownersOfVolumes, statefulFields, type StatefulPlan } from './pods/stateful-set.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import type { Metadata, Projection, Reworked } from '../scope/projection.ts';
import { metricsAnnotations } from '../telemetry/app-metrics.ts';
import { proxyConfigChecksum } from '../telemetry/proxy-config.ts';

/** One Deployment, or StatefulSet, of a workload: all of it, or one of the versions that run side by side. */
export interface DeploymentPlan<C extends string = string> {
  /** Name of the Deployment: the workload's, or with versions `<workload>-<version>`. */
  readonly name: string;
  /** Value of the pods' label `version`. */
  readonly version: string;
  /** Image of the app's container. */
  readonly image: string;
  /** Clusters it runs in, in the mesh's order. */
  readonly placement: readonly C[];
  /** Pods per cluster; with autoscaling the fewest. */
  readonly replicas: number;
  /** The same by cluster. @default - `replicas` everywhere */
  readonly replicasIn?: (cluster: string) => number;
  /** What is made of it once it is written. @default - nothing */
  readonly rework?: (written: KubernetesObject) => Reworked;
  /** Labels by which it knows its pods. They can never change for a Deployment that exists. */
  readonly selector: Readonly<Record<string, string>>;
  /** What makes a StatefulSet of it. @default - it is a Deployment */
  readonly stateful?: StatefulPlan;
}

/** What {@link addDeployment} needs to know of the workload. */
export interface DeploymentProps {
  /** Name of the workload: also that of its ServiceAccount. */
  readonly app: string;
  readonly namespace: string;
  readonly containers: k8s.Container[];
  /** @default - none */
  readonly volumes?: readonly k8s.Volume[] | undefined;
  /** Annotations of the pods that give their proxies what they need beside it. @default - none */
  readonly proxyAnnotations?: Readonly<Record<string, string>>;
  readonly config: AnyConfig;
}

/**
 * Adds a Deployment, or a StatefulSet, to a cluster, with what keeps two or more of its pods apart and in service. The pods carry
 * `version`, which Istio's subsets and metrics go by
 * (https://istio.io/latest/docs/ops/deployment/application-requirements/#pod-requirements), even when there is only one:
 * so the pods that run already are the first version's when a second one is declared.
 */
export function addDeployment(into: Projection, plan: DeploymentPlan, props: DeploymentProps): void {
  const { replicas } = plan;
  // An autoscaler does nothing about a Deployment of no pods: such a version is switched off.
  const scaling = (pods: number) => (pods === 0 ? undefined : props.config.autoscaling);
  const autoscaling = scaling(replicas);
  const most = autoscaling?.maxReplicas ?? replicas;
  /** Those of its clusters in which it has such a number of pods. */
  const where = (is: (pods: number) => boolean) =>
    plan.placement.filter((cluster) => is(plan.replicasIn?.(cluster) ?? replicas));
  const selector = { ...plan.selector };
  const differs = {
    because: 'pods run only where they are placed, and say which cluster that is',
    clusters: plan.placement,
    paths: [['spec', 'template', 'spec', 'containers', '*', 'env', 'CLUSTER_NAME', 'value']],
  };
  const metadata = { name: plan.name, namespace: props.namespace, app: props.app, differs };
  const { config } = props;
  const annotations = notSecretAnnotations(config);
  const metrics = isForeign(config) ? config.foreign.metrics : undefined;
  const { stateful } = plan;
  const template: k8s.PodTemplateSpec = {
    metadata: {
      annotations: {
        ...proxyConfigChecksum,
        ...metricsAnnotations(props.containers, metrics),
        ...props.proxyAnnotations,
      },
      labels: { ...into.podLabels(props.app), [versionLabel]: plan.version },
    },
    spec: {
      serviceAccountName: props.app,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: props.config.shutdown.graceSeconds,
      securityContext: { ...restrictedPod, ...(stateful && ownersOfVolumes(stateful, userOf(config))) },
      ...spread(most, selector),
      containers: props.containers,
      ...(props.volumes === undefined ? {} : { volumes: [...props.volumes] }),
    },
  };
  const noted = { ...metadata, ...annotations };
  // Applied again and again, a number would undo what the autoscaler sets.
  const of = {
    ...(autoscaling === undefined ? { replicas } : {}),
    selector: { matchLabels: selector },
    template,
  };
  const patches = isForeign(config) ? waitsToEnd(config.name, props.containers) : [];
  if (stateful === undefined)
    into.add(
      '50-workloads',
      k8s.KubeDeployment,
      noted,
      { spec: { ...of, strategy: newBeforeOld } },
      patches,
      plan.rework,
    );
  else {
    const spec = { ...of, ...statefulFields(stateful) };
    into.add('50-workloads', k8s.KubeStatefulSet, noted, { spec }, patches, plan.rework);
  }
  const kept = { ...differs, clusters: where((pods) => (scaling(pods)?.maxReplicas ?? pods) > 1), paths: [] };
  disruptionBudget(into, '50-workloads', { ...metadata, differs: kept }, most, selector);
  if (autoscaling === undefined) return;
  const containers = props.containers.map(({ name }) => name);
  const scaled = { ...differs, clusters: where((pods) => pods > 0), paths: leastPods };
  addAutoscaler(into, { ...metadata, differs: scaled }, { replicas, ...autoscaling, containers });
}

/** A new pod is ready before an old one goes. */
const newBeforeOld: k8s.DeploymentStrategy = {
  type: 'RollingUpdate',
  rollingUpdate: {
    maxSurge: k8s.IntOrString.fromNumber(1),
    maxUnavailable: k8s.IntOrString.fromNumber(0),
  },
};

/** Number of the user that a container of others is said to run as. */
function userOf(config: AnyConfig): number | undefined {
  return isForeign(config) ? config.foreign.user : undefined;
}

/** Clusters may have other numbers of pods. */
const leastPods = [['spec', 'minReplicas']];

/** Adds the kubelet's wait to a container, which the classes of cdk8s for Kubernetes 1.28 do not know. */
function waitsToEnd(name: string, containers: readonly k8s.Container[]): readonly JsonPatch[] {
  const index = containers.findIndex((container) => container.name === name);
  const lifecycle = waitBeforeEnd(containers.length > 1);
  return [JsonPatch.add(`/spec/template/spec/containers/${index}/lifecycle`, lifecycle)];
}

/** What is said of variables, arguments and the like that look like secrets and are none, for the gate on secrets and for reviewers. */
export function notSecretAnnotations({ name, env, pod = {} }: AnyConfig): Pick<Metadata, 'annotations'> {
  const beside = [...(pod.initContainers ?? []), ...(pod.containers ?? [])];
  const variables = [{ name, env }, ...beside].flatMap((container) =>
    Object.entries(container.env ?? {}).flatMap(([variable, value]) =>
      typeof value !== 'string' && 'notSecret' in value
        ? [notSecretPath(container.name, 'env', variable)]
        : [],
    ),
  );
  return notSecret([...variables, ...notSecretPaths(pod, false)]);
}
