import { own } from '../../../core/own.ts';
import { defaultRevision, revisionLabel } from '../../model/labels.ts';
import type { ControlPlaneModel, KubernetesObject } from '../../model/mesh-model.ts';
import type { Differs } from '../../model/rendered.ts';
import type { Cluster, ClusterIstio } from './cluster.ts';
import type { Platform } from './platform.ts';

const single: ClusterIstio = { revisions: { [defaultRevision]: {} } };

/** The control planes of a cluster, as declared. */
export function controlPlanesOf({ istio }: Cluster, platform: Platform): readonly ControlPlaneModel[] {
  const { revisions } = istio ?? single;
  return Object.entries(revisions).map(([revision, { tag, hub }]) => ({
    revision,
    name: revision === defaultRevision ? 'istiod' : `istiod-${revision}`,
    hub: hub ?? platform.istio.hub,
    tag: tag ?? platform.istio.tag,
  }));
}

/** The revision a cluster's pods belong to, where their namespace says nothing else: also that of the cluster's shared parts. */
export function usedRevision({ istio = single }: Cluster): string {
  return istio.use ?? Object.keys(istio.revisions)[0] ?? defaultRevision;
}

/** The revision that a namespace of a cluster belongs to. */
export function revisionOf(cluster: Cluster, namespace: string): string {
  return own(cluster.istio?.namespaces, namespace) ?? usedRevision(cluster);
}

/**
 * Labels of an application namespace that have its pods get their proxies from a control plane. Never both: Istio takes
 * `istio-injection` for the control plane without a revision, whatever else a pod or its namespace says
 * (https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy).
 */
export function injectionLabels(revision: string): Readonly<Record<string, string>> {
  return revision === defaultRevision ? { 'istio-injection': 'enabled' } : { [revisionLabel]: revision };
}

/** In what the clusters may differ because they declare different revisions. */
export const ofRevision: Differs = {
  because: 'the control plane is upgraded cluster by cluster',
  paths: [
    ['metadata', 'labels', 'istio-injection'],
    ['metadata', 'labels', revisionLabel],
    ['spec', 'template', 'metadata', 'labels', revisionLabel],
    ['spec', 'jobTemplate', 'spec', 'template', 'metadata', 'labels', revisionLabel],
  ],
};

/** What may differ in an object whose pods are labelled, beside what its construct says. */
export function differsByRevision(kind: string, differs: Differs | undefined): Differs | undefined {
  if (own(templates, kind) === undefined) return differs;
  return { ...ofRevision, ...differs, paths: [...(differs?.paths ?? []), ...(ofRevision.paths ?? [])] };
}

/** Where the kinds that make pods again when it changes keep the pods' metadata; a Job's cannot be changed. */
const templates: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['spec', 'template', 'metadata'],
  StatefulSet: ['spec', 'template', 'metadata'],
  DaemonSet: ['spec', 'template', 'metadata'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'metadata'],
};

/**
 * The object with its revision on the pods it makes, unless it names one itself or wants no proxy. A namespace's label
 * restarts nothing, the pods' label does: a Deployment rolls its pods out anew, as after every other change.
 */
export function labelPods(object: KubernetesObject, cluster: Cluster): KubernetesObject {
  const path = own(templates, object.kind);
  const { namespace } = object.metadata;
  if (path === undefined || namespace === undefined) return object;
  const revision = revisionOf(cluster, namespace);
  return revision === defaultRevision ? object : (labelAt(object, path, revision) as KubernetesObject);
}

function labelAt(value: unknown, path: readonly string[], revision: string): unknown {
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  const [key, ...rest] = path;
  if (key !== undefined) return { ...fields, [key]: labelAt(fields[key], rest, revision) };
  const labels = (fields['labels'] ?? {}) as Readonly<Record<string, unknown>>;
  if (labels['sidecar.istio.io/inject'] === 'false') return value;
  return { ...fields, labels: { [revisionLabel]: revision, ...labels } };
}
