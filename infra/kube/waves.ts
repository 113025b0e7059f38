import type { KubeObject } from './kube-object.ts';

/**
 * The order of objects within one stage: earlier waves are applied before later ones, the objects of a wave in parallel.
 * A kind that is not listed here (custom resources, policies) is in the wave {@link others}. A webhook comes after the
 * workload that serves it, so that it is deleted before that workload when everything is deleted in reverse; and a DestinationRule before what leads
 * calls to its host, so that none is sent without its TLS, or to a subset that is not there.
 */
const waveOfKind: Readonly<Record<string, number>> = {
  Namespace: 0,
  CustomResourceDefinition: 1,
  ServiceAccount: 2,
  ClusterRole: 2,
  Role: 2,
  ConfigMap: 2,
  Secret: 2,
  PriorityClass: 2,
  ClusterRoleBinding: 3,
  RoleBinding: 3,
  Service: 3,
  DestinationRule: 3,
  Deployment: 5,
  DaemonSet: 5,
  StatefulSet: 5,
  Job: 5,
  CronJob: 5,
  HorizontalPodAutoscaler: 6,
  MutatingWebhookConfiguration: 7,
  ValidatingWebhookConfiguration: 7,
};
const others = 4;

/** Splits objects into waves and keeps their order inside each; every object is in exactly one wave. */
export function waves(objects: readonly KubeObject[]): readonly (readonly KubeObject[])[] {
  const byWave = new Map<number, KubeObject[]>();
  for (const object of objects) {
    const wave = waveOfKind[object.kind] ?? others;
    byWave.set(wave, [...(byWave.get(wave) ?? []), object]);
  }
  return [...byWave.entries()].sort(([a], [b]) => a - b).map(([, wave]) => wave);
}
