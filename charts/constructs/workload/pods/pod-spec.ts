import type { PodConfig } from '../../../../apps/config/pod/pod.ts';
import type { KubernetesObject } from '../../../model/mesh-model.ts';
import { extraContainersOf, hookOf, initContainersOf } from './extra-containers.ts';
import { apiMount, apiVariable, apiVolume } from './kubernetes-api.ts';
import { mountsOf, volumesOf } from './volumes.ts';

type Json = Readonly<Record<string, unknown>>;

interface Template {
  readonly metadata: { readonly labels?: Json; readonly annotations?: Json };
  readonly spec: Json & {
    readonly containers: readonly Json[];
    readonly volumes?: readonly Json[];
    readonly securityContext?: Json;
  };
}

/** The pods that something is said of. */
export interface PodsOf {
  /** Name of the workload. */
  readonly workload: string;
  /** Name of its own container. */
  readonly container: string;
  readonly imageHub: string;
}

/**
 * An object with what is said of the pods in its template. It is made of what cdk8s writes, and not by its classes: those of Kubernetes 1.28 leave out
 * what they do not know.
 */
export function withPod(object: KubernetesObject, pod: PodConfig, of: PodsOf): KubernetesObject {
  return replaced(object, templatePath(object.kind), (template) =>
    templateOf(template as Template, pod, of),
  ) as KubernetesObject;
}

/** Where an object of a kind has the template of its pods. */
export function templatePath(kind: string): readonly string[] {
  return kind === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template'] : ['spec', 'template'];
}

function replaced(
  value: unknown,
  [key, ...rest]: readonly string[],
  by: (inner: unknown) => unknown,
): unknown {
  if (key === undefined) return by(value);
  return { ...(value as Json), [key]: replaced((value as Json)[key], rest, by) };
}

function templateOf({ metadata, spec }: Template, pod: PodConfig, of: PodsOf): Template {
  const { labels, annotations, nodeSelector, tolerations, affinity, priorityClass, hostAliases, group } = pod;
  const aliases = Object.entries(hostAliases ?? {});
  const own = spec.containers.map((one) => (one['name'] === of.container ? ownContainer(one, pod) : one));
  const volumes = [
    ...(spec.volumes ?? []),
    ...volumesOf(of.workload, pod),
    ...(pod.kubernetesApi === undefined ? [] : [apiVolume]),
  ];
  const named = spec.containers.find((one) => one['name'] === of.container) ?? {};
  const beside = { imageHub: of.imageHub, own: named };
  const before = initContainersOf(pod, beside);
  return {
    metadata: {
      ...metadata,
      ...(labels === undefined ? {} : { labels: { ...metadata.labels, ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...metadata.annotations, ...annotations } }),
    },
    spec: {
      ...spec,
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      ...(tolerations === undefined ? {} : { tolerations }),
      ...(affinity === undefined ? {} : { affinity }),
      ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
      ...(aliases.length === 0
        ? {}
        : { hostAliases: aliases.map(([ip, hostnames]) => ({ ip, hostnames: [...hostnames] })) }),
      ...(group === undefined ? {} : { securityContext: { ...spec.securityContext, fsGroup: group } }),
      ...(before.length === 0 ? {} : { initContainers: before }),
      containers: [...own, ...extraContainersOf(pod, beside)],
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
}

function ownContainer(container: Json, pod: PodConfig): Json {
  const { mounts = {}, postStart, kubernetesApi } = pod;
  const entries = (key: string) => (container[key] ?? []) as readonly Json[];
  const volumeMounts = [
    ...entries('volumeMounts'),
    ...mountsOf(mounts, pod),
    ...(kubernetesApi === undefined ? [] : [apiMount]),
  ];
  return {
    ...container,
    ...(kubernetesApi === undefined
      ? {}
      : { env: [...entries('env').filter(({ name }) => name !== apiVariable['name']), apiVariable] }),
    ...(volumeMounts.length === 0 ? {} : { volumeMounts }),
    ...(postStart === undefined
      ? {}
      : { lifecycle: { ...(container['lifecycle'] as Json | undefined), postStart: hookOf(postStart) } }),
  };
}
