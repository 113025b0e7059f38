import { isForeign, type AnyConfig } from '../../../apps/config/app-config.ts';
import type { DeploymentModel, WorkloadModel } from '../../model/mesh-model.ts';
import { replicasOf } from '../../model/mesh-model.ts';
import type { Cluster } from '../scope/cluster.ts';
import { isAlike } from '../traffic/locality.ts';
import type { TrafficPolicyProps } from '../traffic/props.ts';
import type { DeploymentPlan } from './deployment.ts';

/**
 * Where the answers of a workload come from, as far as the declaration tells.
 * @param clusters - those that it is placed in
 * @param all - those of the mesh
 */
export function answersOf(
  clusters: readonly string[],
  deployments: readonly DeploymentModel[],
  all: readonly Cluster[],
  policy: TrafficPolicyProps<string, string> | undefined,
): Pick<WorkloadModel, 'answersFrom' | 'local'> {
  const running = deployments
    .map((deployment) => deployment.placement.filter((cluster) => replicasOf(deployment, cluster) > 0))
    .filter((placement) => placement.length > 0);
  const answersFrom = clusters.filter((cluster) => running.some((placement) => placement.includes(cluster)));
  const isEverywhere = running.every((placement) => placement.length === answersFrom.length);
  const answering = all.filter(({ name }) => answersFrom.includes(name));
  const areApart = answering.every((one) => !answering.some((other) => isAlike(one, other)));
  return { answersFrom, local: isEverywhere && areApart && policy?.distribution === undefined };
}

/** The Deployments of a workload as plain data. */
export function deploymentModels(
  deployments: readonly DeploymentPlan[],
  replicasIn: (replicas: number) => Readonly<Record<string, number>> | undefined,
): readonly DeploymentModel[] {
  return deployments.map(({ name, version, placement, replicas, stateful }) => {
    const differing = replicasIn(replicas);
    return {
      ...{ name, version, placement, replicas, ...(differing && { replicasIn: differing }) },
      ...(stateful === undefined ? {} : { stateful: true as const }),
    };
  });
}

/** References of images of a workload's pods that are built elsewhere. */
export function foreignImagesOf(
  config: AnyConfig,
  deployments: readonly Pick<DeploymentPlan, 'image'>[],
  imageHub: string,
): readonly string[] {
  const images = deployments.map(({ image }) => image);
  // By the hub's name a version of an app may have been built from an earlier state of its folder.
  return isForeign(config) ? images : images.filter((image) => !image.startsWith(`${imageHub}/`));
}
