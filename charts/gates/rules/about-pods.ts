import { field, list, mapping } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';

/** Where kinds that are about pods say which: those of their namespace with these labels, or without any, all of it. */
export const aboutPods: Readonly<Record<string, readonly string[]>> = {
  Service: ['spec', 'selector'],
  PodDisruptionBudget: ['spec', 'selector', 'matchLabels'],
  NetworkPolicy: ['spec', 'podSelector', 'matchLabels'],
  AuthorizationPolicy: ['spec', 'selector', 'matchLabels'],
  PeerAuthentication: ['spec', 'selector', 'matchLabels'],
  RequestAuthentication: ['spec', 'selector', 'matchLabels'],
  Telemetry: ['spec', 'selector', 'matchLabels'],
  WasmPlugin: ['spec', 'selector', 'matchLabels'],
  ProxyConfig: ['spec', 'selector', 'matchLabels'],
  EnvoyFilter: ['spec', 'workloadSelector', 'labels'],
  Sidecar: ['spec', 'workloadSelector', 'labels'],
  Gateway: ['spec', 'selector'],
};

/** Where kinds that make pods say which are theirs: they take over those that nobody owns. */
export const ownersOfPods: Readonly<Record<string, readonly string[]>> = {
  DaemonSet: ['spec', 'selector', 'matchLabels'],
  Deployment: ['spec', 'selector', 'matchLabels'],
  ReplicaSet: ['spec', 'selector', 'matchLabels'],
  ReplicationController: ['spec', 'selector'],
  StatefulSet: ['spec', 'selector', 'matchLabels'],
};

/** By which labels an object is about pods; none where it names no label, or is of another kind. */
export function selectorOf(object: KubernetesObject): Readonly<Record<string, string>> {
  const path = aboutPods[object.kind] ?? ownersOfPods[object.kind];
  return path === undefined ? {} : mapping(object, ...path);
}

/** Whether an object says by reference what it is about: what is named, and not pods by their labels. */
export function isByReference(object: KubernetesObject): boolean {
  return field(object, 'spec', 'targetRef') !== undefined || list(object, 'spec', 'targetRefs').length > 0;
}
