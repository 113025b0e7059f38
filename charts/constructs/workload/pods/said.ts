import { parseInCluster, parsePod, type AnyConfig } from '../../../../apps/config/app-config.ts';
import type { InCluster, Patch, PodConfig } from '../../../../apps/config/pod/pod.ts';
import { nearest } from '../../../../core/names.ts';
import { ProblemsError, type Problem } from '../../../../core/problem.ts';
import { notSecretAnnotation } from '../../../gates/secrets.ts';
import type { PlacedPatch } from './patched.ts';
import { templatePath } from './pod-spec.ts';
import type { Differing } from './rework.ts';

/** What is said in code of the pods of a workload, and of it in single clusters. */
export interface SaidOfPods {
  readonly pod: PodConfig;
  readonly clusters: ReadonlyMap<string, InCluster>;
  readonly problems: readonly Problem[];
}

/**
 * What the properties of a workload say of its pods; plain JavaScript may pass anything.
 * @param placed - the clusters that it is placed in
 */
export function saidOfPods(
  where: string,
  { pod, clusters }: { readonly pod?: unknown; readonly clusters?: unknown },
  placed: readonly string[],
): SaidOfPods {
  const problems: Problem[] = [];
  const parsed = pod === undefined ? {} : noting(problems, () => parsePod(where, pod));
  const said = new Map<string, InCluster>();
  if (clusters !== undefined && !isObject(clusters)) {
    const allowed = `what differs by cluster: { ${placed[0] ?? 'CLUSTER'}: { env, replicas } }`;
    problems.push({ where: `${where}: clusters`, what: 'is not an object', received: clusters, allowed });
  }
  for (const [name, value] of isObject(clusters) ? Object.entries(clusters) : []) {
    if (!placed.includes(name)) {
      const near = nearest(name, placed);
      problems.push({
        where: `${where}: clusters.${name}`,
        what: 'it has no pods in this cluster',
        allowed: placed.join(', '),
        fix: near === undefined ? 'remove it, or place it there' : `did you mean ${near}?`,
      });
    }
    // Left out, as any property may be.
    if (value === undefined || value === null) continue;
    const one = noting(problems, () => parseInCluster(where, name, value));
    if (one !== undefined) said.set(name, one);
  }
  return { pod: parsed ?? {}, clusters: said, problems };
}

/** What is said of a workload in a cluster: what its container is everywhere, with what differs there. */
export function configIn(config: AnyConfig, said: SaidOfPods, cluster: string): AnyConfig {
  const there = said.clusters.get(cluster);
  if (there === undefined && Object.keys(said.pod).length === 0) return config;
  const { env, replicas, resources, nodeSelector, serviceAccount } = there ?? {};
  const pod: PodConfig = { ...config.pod, ...said.pod };
  return {
    ...config,
    ...(env !== undefined && { env: { ...config.env, ...env } }),
    ...(replicas !== undefined && { replicas }),
    ...(resources !== undefined && { resources }),
    pod: {
      ...pod,
      ...(nodeSelector !== undefined && { nodeSelector: { ...pod.nodeSelector, ...nodeSelector } }),
      ...(serviceAccount !== undefined && {
        serviceAccount: {
          annotations: { ...pod.serviceAccount?.annotations, ...serviceAccount.annotations },
        },
      }),
    },
  };
}

/**
 * In what a workload is said to differ between clusters; undefined where it does not.
 * @param container - name of its own container
 * @param pods - what is said of its pods in every cluster
 * @param kind - of the object that makes its pods
 */
export function differing(
  where: string,
  said: SaidOfPods,
  container: string,
  pods: PodConfig,
  kind: string,
): Differing | undefined {
  const found = [...said.clusters].flatMap(([name, { env = {}, patches = [], ...rest }]) => {
    const keys = [
      ...Object.keys(env).map((variable) => `env ${variable}`),
      ...Object.keys(rest),
      ...patches.map(({ path }) => `patch of ${path}`),
    ];
    return keys.length === 0 ? [] : [`${name}: ${keys.join(', ')}`];
  });
  if (found.length === 0) return undefined;
  const all = [...said.clusters.values()];
  const pod = [...templatePath(kind), 'spec'];
  const own = [...pod, 'containers', container];
  const paths: readonly (readonly [
    isSaid: (one: InCluster) => boolean,
    paths: readonly (readonly string[])[],
  ])[] = [
    [
      ({ env = {} }) => Object.keys(env).length > 0,
      [
        [...own, 'env'],
        ['metadata', 'annotations', notSecretAnnotation],
      ],
    ],
    [
      ({ replicas }) => replicas !== undefined,
      [
        ['spec', 'replicas'],
        [...pod, 'topologySpreadConstraints'],
      ],
    ],
    [({ resources }) => resources !== undefined, [[...own, 'resources']]],
    [
      ({ image }) => image !== undefined,
      [
        [...own, 'image'],
        [...own, 'env', 'SERVICE_VERSION', 'value'],
        // Containers without an image of their own have the same.
        ...(['initContainers', 'containers'] as const).flatMap((key) =>
          (pods[key] ?? []).flatMap(({ name, image }) =>
            image === undefined ? [[...pod, key, name, 'image']] : [],
          ),
        ),
      ],
    ],
    [({ nodeSelector }) => nodeSelector !== undefined, [[...pod, 'nodeSelector']]],
  ];
  return {
    text: found.join('; '),
    paths: paths.flatMap(([isSaid, fields]) => (all.some(isSaid) ? fields : [])),
    patches: [...said.clusters].flatMap(([cluster, { patches = [] }]) =>
      placed(clusterPatches(where, cluster), patches),
    ),
  };
}

/** The patches of a workload in a cluster, in the order they are applied. */
export function patchesIn(
  where: string,
  pod: PodConfig,
  said: SaidOfPods,
  cluster: string,
): readonly PlacedPatch[] {
  return [
    ...placed(`${where}: pod.patches`, pod.patches ?? []),
    ...placed(clusterPatches(where, cluster), said.clusters.get(cluster)?.patches ?? []),
  ];
}

function clusterPatches(where: string, cluster: string): string {
  return `${where}: clusters.${cluster}.patches`;
}

function placed(where: string, patches: readonly Patch[]): readonly PlacedPatch[] {
  return patches.map((patch, index) => ({ where: `${where}[${index}]`, patch }));
}

function noting<T>(problems: Problem[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
