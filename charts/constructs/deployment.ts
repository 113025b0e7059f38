import { k8s } from 'cdk8s-plus-28';
import { versionLabel } from './names.ts';
import { disruptionBudget, restrictedPod, spread } from './pod-defaults.ts';
import type { Projection } from './projection.ts';

/** One Deployment of a workload: all of it, or one of the versions that run side by side. */
export interface DeploymentPlan<C extends string = string> {
  /** Name of the Deployment: the workload's, or with versions `<workload>-<version>`. */
  readonly name: string;
  /** Value of the pods' label `version`. */
  readonly version: string;
  /** Image of the app's container. */
  readonly image: string;
  /** Clusters it runs in, in the mesh's order. */
  readonly placement: readonly C[];
  /** Pods per cluster. */
  readonly replicas: number;
  /** Labels by which it knows its pods. They can never change for a Deployment that exists. */
  readonly selector: Readonly<Record<string, string>>;
}

/** What {@link addDeployment} needs to know of the workload. */
export interface DeploymentProps {
  /** Name of the workload: also that of its ServiceAccount. */
  readonly app: string;
  readonly namespace: string;
  readonly containers: k8s.Container[];
}

/** Time from SIGTERM to SIGKILL, in seconds: enough for open calls to end. */
const terminationGracePeriodSeconds = 30;

/**
 * Adds a Deployment to a cluster, with what keeps two or more of its pods apart and in service. The pods carry
 * `version`, which Istio's subsets and metrics go by
 * (https://istio.io/latest/docs/ops/deployment/application-requirements/#pod-requirements), even when there is only one:
 * so the pods that run already are the first version's when a second one is declared.
 */
export function addDeployment(into: Projection, plan: DeploymentPlan, props: DeploymentProps): void {
  const { replicas } = plan;
  const selector = { ...plan.selector };
  const metadata = { name: plan.name, namespace: props.namespace, app: props.app };
  into.add('50-workloads', k8s.KubeDeployment, metadata, {
    spec: {
      replicas,
      selector: { matchLabels: selector },
      // A new pod is ready before an old one goes.
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: {
          maxSurge: k8s.IntOrString.fromNumber(1),
          maxUnavailable: k8s.IntOrString.fromNumber(0),
        },
      },
      template: {
        metadata: { labels: { ...into.podLabels(props.app), [versionLabel]: plan.version } },
        spec: {
          serviceAccountName: props.app,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds,
          securityContext: restrictedPod,
          ...spread(replicas, selector),
          containers: props.containers,
        },
      },
    },
  });
  disruptionBudget(into, '50-workloads', metadata, replicas, selector);
}
