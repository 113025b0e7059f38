import { dnsLabelRule, isDnsLabel, nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import type { LoadedApp, Mesh } from '../scope/mesh-construct.ts';

interface Named {
  readonly where: string;
  readonly name: string;
  readonly isDuplicate: boolean;
  readonly namespace: { readonly name: string };
}

/**
 * Checks the name a workload gives its Service, which Kubernetes wants to begin with a letter (RFC 1035).
 * @param noun - what the workload is called
 */
export function nameProblems(
  { where, name, isDuplicate, namespace }: Named,
  noun: 'service' | 'job',
): readonly Problem[] {
  if (!isDnsLabel(name) || /^[0-9]/.test(name)) {
    const allowed = `${dnsLabelRule}, starting with a letter`;
    return [{ where, what: `the name of the ${noun} is not valid`, received: name, allowed }];
  }
  const fix = 'choose another name';
  if (name === 'default') {
    const what = 'its service account would be the one that every pod without its own account runs as';
    return [{ where, what, received: name, fix }];
  }
  if (name === 'kubernetes' && namespace.name === 'default') {
    const what = 'its Service would replace that of the API server';
    return [{ where, what, received: name, fix }];
  }
  if (!isDuplicate) return [];
  return [{ where, what: `the namespace has two ${noun}s of this name`, received: name, fix: 'rename one' }];
}

/** What the config.yml of a folder says; plain JavaScript may leave the folder out, or pass anything for it. */
export function loadFolder(mesh: Pick<Mesh, 'app'>, where: string, app: unknown): LoadedApp {
  const loaded = mesh.app(app as string);
  if ('config' in loaded || typeof app === 'string') return loaded;
  // What is no folder has no file that its problems could be in.
  return { problems: loaded.problems.map((one) => ({ ...one, where: `${where}: ${one.where}` })) };
}

/** What is wrong with what pods are made from: their own container, and those of apps beside it. */
export function configProblems(of: {
  readonly loaded: LoadedApp;
  readonly app: string | undefined;
  readonly apps: readonly string[];
  readonly mesh: Pick<Mesh, 'app'>;
}): readonly Problem[] {
  const beside = of.apps.filter((app) => app !== of.app).map((app) => of.mesh.app(app));
  return [of.loaded, ...beside].flatMap((one) => ('config' in one ? [] : one.problems));
}

/**
 * Checks a placement against the clusters there are.
 * @param unknown - what to say of a cluster that is not among them
 */
export function placementProblems(
  where: string,
  placement: unknown,
  clusters: readonly string[],
  unknown = 'the mesh has no such cluster',
): readonly Problem[] {
  if (!Array.isArray(placement)) {
    const allowed = clusters.join(', ');
    const what = 'is not a list of clusters';
    return [{ where: `${where}: placement`, what, received: placement, allowed }];
  }
  if (placement.length === 0 && clusters.length > 0) {
    return [
      {
        where: `${where}: placement`,
        what: 'the placement is empty',
        received: [],
        allowed: clusters.join(', '),
        fix: 'name a cluster, or leave the placement out for all clusters',
      },
    ];
  }
  return placement.flatMap((cluster: unknown, index): Problem[] => {
    const problem = { where: `${where}: placement`, received: cluster };
    if (placement.indexOf(cluster) !== index) {
      return [{ ...problem, what: 'the cluster is listed twice', fix: 'remove one' }];
    }
    if (typeof cluster === 'string' && clusters.includes(cluster)) return [];
    const near = nearest(cluster, clusters);
    return [
      {
        ...problem,
        what: unknown,
        allowed: clusters.join(', '),
        ...(near === undefined ? {} : { fix: `did you mean ${near}?` }),
      },
    ];
  });
}
