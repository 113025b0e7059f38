import { k8s } from 'cdk8s-plus-28';
import type { StageName } from '../../model/stage.ts';
import type { Metadata, Projection } from '../scope/projection.ts';

/** Pod part of what the Pod Security level `restricted` asks for; covers injected containers, too. */
export const restrictedPod: k8s.PodSecurityContext = {
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Container part of what `restricted` asks for, and a root file system that cannot be written. */
export const restrictedContainer: k8s.SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
};

/** Kubernetes quantities by resource name. */
export function quantities(amounts: {
  readonly cpu?: string;
  readonly memory: string;
}): Record<string, k8s.Quantity> {
  return {
    ...(amounts.cpu === undefined ? {} : { cpu: k8s.Quantity.fromString(amounts.cpu) }),
    memory: k8s.Quantity.fromString(amounts.memory),
  };
}

/** Keeps two or more replicas apart where there is room: by zone, then by node. Nothing for fewer. */
export function spread(replicas: number, matchLabels: Record<string, string>): Partial<k8s.PodSpec> {
  if (replicas < 2) return {};
  return {
    topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map(
      (topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels },
      }),
    ),
  };
}

/** Lets a drain take one of two or more replicas at a time. None for fewer: it would only block the drain. */
export function disruptionBudget(
  into: Projection,
  stage: StageName,
  metadata: Metadata,
  replicas: number,
  matchLabels: Record<string, string>,
): void {
  if (replicas < 2) return;
  into.add(stage, k8s.KubePodDisruptionBudget, metadata, {
    spec: { maxUnavailable: k8s.IntOrString.fromNumber(1), selector: { matchLabels } },
  });
}
