import type { k8s } from 'cdk8s-plus-28';
import { isForeign, type AnyConfig } from '../../../apps/config/app-config.ts';
import { nativeSidecarAnnotation } from '../../model/labels.ts';
import { versionLabel } from '../scope/names.ts';
import type { Projection } from '../scope/projection.ts';
import { foreignContainer } from '../workload/foreign-container.ts';
import { restrictedPod } from '../workload/pod-defaults.ts';
import { firstVersion } from '../workload/workload-props.ts';
import type { RunProps } from './job-props.ts';

/** What the pods of a run are made of in a cluster. */
export interface RunPods {
  /** Name of the construct: also that of its ServiceAccount. */
  readonly app: string;
  readonly config: AnyConfig;
  /** Whole reference of the image of its container. */
  readonly image: string;
  /** Annotations that give its proxy what it needs beside it. */
  readonly proxyAnnotations: Readonly<Record<string, string>>;
}

/** Times that a run is tried again, and seconds that all its tries may take, where nothing is said. */
export const runDefaults = { backoffLimit: 3, activeDeadlineSeconds: 600 } as const;

/**
 * What a Job is, or a CronJob's runs. Its pods ask for a native sidecar, whatever the injector's own default is: another proxy would run on after
 * their container, and they would never end
 * (https://istio.io/latest/docs/reference/config/annotations/#SidecarNativeSidecar).
 */
export function runSpec(
  into: Projection,
  props: RunProps<string>,
  { app, config, image, proxyAnnotations }: RunPods,
): k8s.JobSpec {
  const { completions = 1, parallelism = 1, restartPolicy = 'Never' } = props;
  const { backoffLimit, activeDeadlineSeconds } = runDefaults;
  return {
    backoffLimit: props.backoffLimit ?? backoffLimit,
    activeDeadlineSeconds: props.activeDeadlineSeconds ?? activeDeadlineSeconds,
    completions,
    parallelism,
    template: {
      metadata: {
        annotations: { [nativeSidecarAnnotation]: 'true', ...proxyAnnotations },
        labels: { ...into.podLabels(app), [versionLabel]: firstVersion },
      },
      spec: {
        serviceAccountName: app,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        restartPolicy,
        terminationGracePeriodSeconds: config.shutdown.graceSeconds,
        securityContext: restrictedPod,
        containers: isForeign(config) ? [foreignContainer(config, image)] : [],
      },
    },
  };
}
