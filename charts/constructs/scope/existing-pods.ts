import { parse } from 'yaml';
import { own } from '../../../core/own.ts';
import { defaultRevision, labelsOf, revisionLabel } from '../../model/labels.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { existingIstio, type ExistingPlatform } from './platform.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What the pods of a mesh on an Istio of others get, which its own would have from the mesh configuration. */
export interface ExistingPods {
  readonly mesh: string;
  readonly platform: ExistingPlatform;
  /** Namespaces that have no label of ours. */
  readonly shared: ReadonlySet<string>;
  /** What proxies start with, as the annotation `proxy.istio.io/config` says it. */
  readonly proxyConfig: Fields;
}

/** Where the kinds that make pods keep the pods' metadata. */
const templates: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['spec', 'template', 'metadata'],
  StatefulSet: ['spec', 'template', 'metadata'],
  DaemonSet: ['spec', 'template', 'metadata'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'metadata'],
  Job: ['spec', 'template', 'metadata'],
  Pod: ['metadata'],
};

/** Kinds whose pods cannot be changed: they get only what they cannot do without. */
const fixed = ['Job', 'Pod'];

const configAnnotation = 'proxy.istio.io/config';
const injectLabel = 'sidecar.istio.io/inject';

/**
 * An object with what the pods it makes need: the labels that policies of the mesh select them by, those that ask for a proxy
 * (https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy), and on pods with a
 * proxy what it starts with. Pods that want no proxy get their labels alone.
 */
export function existingPods({ mesh, platform, shared, proxyConfig }: ExistingPods) {
  const { revision } = existingIstio(platform);
  const ofRevision = revision === defaultRevision ? {} : { [revisionLabel]: revision };
  const sizes = sizesOf(platform);
  return (object: KubernetesObject): KubernetesObject => {
    const path = own(templates, object.kind);
    const { namespace } = object.metadata;
    if (path === undefined || namespace === undefined) return object;
    return changedAt(object, path, (metadata) => {
      const labels = fieldsOf(metadata['labels']);
      const ours = { ...labels, ...labelsOf(mesh) };
      if (labels[injectLabel] === 'false') return { ...metadata, labels: sorted(ours) };
      // By the label of its namespace alone, Istio passes a pod by where its injector's policy is `disabled`.
      const asked = { [injectLabel]: 'true' };
      const injected =
        fixed.includes(object.kind) && !shared.has(namespace) ? asked : { ...asked, ...ofRevision };
      const withLabels = { ...metadata, labels: sorted({ ...injected, ...ours }) };
      if (fixed.includes(object.kind)) return withLabels;
      const annotations = fieldsOf(metadata['annotations']);
      const isGateway = annotations['inject.istio.io/templates'] === 'gateway';
      const config = merged(proxyConfig, annotations[configAnnotation]);
      const all = {
        ...(isGateway ? {} : sizes),
        ...annotations,
        ...(config === undefined ? {} : { [configAnnotation]: JSON.stringify(config) }),
      };
      return { ...withLabels, annotations: sorted(all) };
    }) as KubernetesObject;
  };
}

/** How large proxies are, as annotations: the mesh configuration is for all proxies, of others too. */
function sizesOf({ sidecar: { requests, limits } }: ExistingPlatform): Fields {
  return {
    'sidecar.istio.io/proxyCPU': requests.cpu,
    'sidecar.istio.io/proxyCPULimit': limits.cpu,
    'sidecar.istio.io/proxyMemory': requests.memory,
    'sidecar.istio.io/proxyMemoryLimit': limits.memory,
  };
}

/** Ours and what the pod says already, which has the last word; undefined where that cannot be read. */
function merged(ours: Fields, annotation: unknown): Fields | undefined {
  if (typeof annotation !== 'string') return ours;
  let given: Fields;
  try {
    given = fieldsOf(parse(annotation));
  } catch {
    // What is no YAML, Istio refuses when the pod is made, and says so.
    return undefined;
  }
  const proxyMetadata = { ...fieldsOf(ours['proxyMetadata']), ...fieldsOf(given['proxyMetadata']) };
  return { ...ours, ...given, proxyMetadata };
}

function changedAt(value: unknown, path: readonly string[], change: (fields: Fields) => Fields): unknown {
  const fields = fieldsOf(value);
  const [key, ...rest] = path;
  return key === undefined ? change(fields) : { ...fields, [key]: changedAt(fields[key], rest, change) };
}

/** In the order of dist/. */
function sorted(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
