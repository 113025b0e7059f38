import { z } from 'zod';
import { isSubdomain, subdomainRule } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { mapping, text } from '../fields.ts';
import { at, isMapping, type Where } from '../mapping.ts';
import { isMountPath, mountPathRule } from './containers.ts';
import { volumeNameProblem } from './rules.ts';
import { leastAmounts, parseQuantity } from '../quantity.ts';

/** Pods that are told apart and keep what they write: those of a StatefulSet. */
export interface StatefulConfig {
  /** Volumes that each pod has for itself, by name. They outlive it. */
  readonly volumes: Readonly<Record<string, OwnVolume>>;
  /** `ordered`: one pod after the other, each once the one before is ready. `parallel`: all at once, when they start and when they go. */
  readonly podManagement: PodManagement;
}

/** How pods of a StatefulSet start and go. */
export type PodManagement = 'ordered' | 'parallel';

/** A volume that each pod has for itself. */
export interface OwnVolume {
  /** Where the service's own container finds it. */
  readonly mountPath: string;
  /** A Kubernetes quantity: `10Gi`. */
  readonly size: string;
  /** Name of a StorageClass. Absent: the cluster's default. */
  readonly storageClass?: string;
  /** Who may mount it at a time: the pods of one node, one pod, or all. */
  readonly accessMode: AccessMode;
}

/** Kubernetes' access modes that let a pod write (https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes). */
export type AccessMode = 'ReadWriteOnce' | 'ReadWriteOncePod' | 'ReadWriteMany';

const accessModes = ['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany'] as const;
const podManagements = ['ordered', 'parallel'] as const;
const sizeRule = leastAmounts.storage.allowed;

const volume = mapping({
  mountPath: text(mountPathRule, isMountPath),
  size: text(sizeRule, (value) => (parseQuantity(value) ?? 0) >= leastAmounts.storage.least),
  storageClass: text(`the name of a StorageClass: ${subdomainRule}`, isSubdomain).exactOptional(),
  accessMode: z.enum(accessModes, { error: accessModes.join(', ') }).default('ReadWriteOnce'),
});

/** The schema of what makes a StatefulSet of a service. */
export const statefulSchema = mapping({
  volumes: z.record(z.string(), volume, { error: 'a mapping from names to volumes' }).default({}),
  podManagement: z.enum(podManagements, { error: podManagements.join(', ') }).default('ordered'),
});

/** Longest name of a StatefulSet: its controller adds a hyphen and ten characters to it in a label, which holds 63. */
const longestName = 52;

/**
 * What of it the schema does not see.
 * @param value - all that is said of the container
 */
export function checkStateful(name: string, value: unknown, where: Where): Problem[] {
  const stateful = at(value, 'stateful');
  if (!isMapping(stateful)) return [];
  const problems: Problem[] = [];
  if (name.length > longestName)
    problems.push({
      where: where('stateful'),
      what: 'the name of the service is too long for a StatefulSet, whose controller adds to it in a label',
      received: name,
      allowed: `at most ${longestName} characters`,
    });
  if (at(value, 'autoscaling') !== undefined)
    problems.push({
      where: where('autoscaling'),
      what: 'cannot be combined with stateful: what a pod keeps does not come and go with how busy the others are',
      fix: 'remove it, and say by replicas how many there are',
    });
  return [...problems, ...checkVolumes(stateful['volumes'], where)];
}

function checkVolumes(volumes: unknown, where: Where): Problem[] {
  if (!isMapping(volumes)) return [];
  const paths = new Map<unknown, string>();
  return Object.entries(volumes).flatMap(([name, one]): Problem[] => {
    const unfit = volumeNameProblem(where('stateful', 'volumes', name), name);
    if (unfit !== undefined) return [unfit];
    const path = at(one, 'mountPath');
    const twin = paths.get(path);
    if (twin === undefined) {
      paths.set(path, name);
      return [];
    }
    const place = where('stateful', 'volumes', name, 'mountPath');
    return [{ where: place, what: `is where the volume ${twin} is`, received: path, fix: 'choose another' }];
  });
}
