import { imageProblem, imageRule } from '../../../core/image-reference.ts';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import { dnsLabelRule, isDnsLabel } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { placementProblems } from './workload-rules.ts';
import { Workload } from './workload.ts';

/** A version of a service. */
export interface VersionProps<C extends string> {
  /**
   * Image of the app's container: `name:tag` under the platform's `imageHub`, or a whole reference with its registry, by
   * an immutable tag or a digest.
   * @default - the app's own image, as its folder stands; of an image by reference that one
   */
  readonly image?: string;
  /** Clusters this version runs in, of those the service runs in. @default - all of them */
  readonly placement?: readonly C[];
  /** Pods per cluster. @default - what config.yml says */
  readonly replicas?: number;
}

const propKeys = keysOf<VersionProps<string>>({ image: true, placement: true, replicas: true });

/** What the Deployment of a version is called. */
export function deploymentName(service: string, version: string): string {
  return `${service}-${version}`;
}

const replicasRule = 'a whole number from 0 to 1000';

/** Checks the versions of a service; plain JavaScript may pass anything. */
export function versionProblems(
  service: Workload,
  declared: Readonly<Record<string, unknown>>,
): readonly Problem[] {
  const where = `${service.where}: versions`;
  const names = Object.keys(declared);
  if (names.length === 0) {
    return [
      {
        where,
        what: 'is empty',
        received: {},
        fix: "add one, or leave versions out to run only the app's own image",
      },
    ];
  }
  const problems = names.flatMap((name) => oneVersion(service, name, declared[name]));
  // A wrong placement is told once.
  if (problems.length > 0) return problems;
  const placements = (Object.values(declared) as VersionProps<string>[]).map(({ placement }) => placement);
  return service.clusters
    .filter((cluster) => !placements.some((placement) => placement?.includes(cluster) ?? true))
    .map((cluster) => ({
      where,
      what: `no version runs in ${cluster}, which the placement of the service includes`,
      fix: `place a version there, or remove ${cluster} from the placement of the service`,
    }));
}

function oneVersion(service: Workload, name: string, props: unknown): readonly Problem[] {
  const where = `${service.where}: versions.${name}`;
  const allowed = `an object with the keys ${propKeys.join(', ')}`;
  if (typeof props !== 'object' || props === null) {
    return [{ where, what: 'is not an object', received: props, allowed }];
  }
  const { image, placement, replicas } = props as Readonly<Record<string, unknown>>;
  const problems: Problem[] = [...nameProblems(service, name, where), ...unknownKeys(where, props, propKeys)];
  if (image !== undefined) problems.push(...imageProblems(`${where}.image`, image));
  if (placement !== undefined) {
    const unknown = 'the service does not run there';
    problems.push(...placementProblems(where, placement, service.clusters, unknown));
  }
  if (replicas !== undefined && !isReplicas(replicas)) {
    const what = 'is not a number of pods';
    problems.push({ where: `${where}.replicas`, what, received: replicas, allowed: replicasRule });
  }
  const { loaded } = service;
  const most = 'config' in loaded ? loaded.config.autoscaling?.maxReplicas : undefined;
  if (most !== undefined && typeof replicas === 'number' && replicas >= most) {
    problems.push({
      where: `${where}.replicas`,
      what: `not fewer than autoscaling.maxReplicas in ${service.configName}`,
      received: replicas,
      allowed: `fewer than ${most}`,
      fix: 'lower it, or raise maxReplicas',
    });
  }
  return problems;
}

function nameProblems(service: Workload, name: string, where: string): Problem[] {
  const deployment = deploymentName(service.name, name);
  if (!isDnsLabel(name)) {
    return [{ where, what: 'the name of the version is not valid', received: name, allowed: dnsLabelRule }];
  }
  if (deployment.length > 63) {
    const what = `its Deployment's name ${deployment} is longer than 63 characters`;
    return [{ where, what, fix: 'shorten the name of the version or of the service' }];
  }
  const others = service.namespace.node.children.filter((part) => part instanceof Workload);
  const rival = others.find((other) => other.name === deployment);
  if (rival !== undefined) {
    const what = `its Deployment would be called ${deployment}, like the service ${rival.where}`;
    return [{ where, what, fix: 'rename the version or that service' }];
  }
  // Such as those of `a-b`, version `c`, and of `a`, version `b-c`: told once, where it comes up again.
  const first = others.find(({ deploymentNames }) => deploymentNames.includes(deployment));
  // Two services of one name are a problem of their own.
  if (first === undefined || first.name === service.name) return [];
  const what = `its Deployment would be called ${deployment}, like that of a version of ${first.where}`;
  return [{ where, what, fix: 'rename the version or that one' }];
}

function imageProblems(where: string, image: unknown): Problem[] {
  const what = imageProblem(image);
  return what === undefined ? [] : [{ where, what, received: image, allowed: imageRule }];
}

function isReplicas(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1000;
}
