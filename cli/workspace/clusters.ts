import { own } from '../../core/own.ts';
import { ProblemsError, throwIfAny, type Problem } from '../../core/problem.ts';
import type { ClusterAccess } from '../../infra/kube/connection.ts';
import { missingClusters, type StackConfig } from '../../infra/plan/stack-config.ts';
import { parseContexts } from './contexts.ts';
import { everyAccess, type UpRecord } from './record.ts';
import type { Workspace } from './workspace.ts';

type Access = Readonly<Record<string, ClusterAccess>>;

/** How the clusters of a mesh are reached. */
export interface Reached {
  readonly lab: boolean;
  /** Of each declared cluster. */
  readonly access: Access;
  /** Of each that the mesh is up in, and that is no longer declared. */
  readonly left: NonNullable<UpRecord['left']>;
  /** The stack file that says it. @default - flags do, or the last `up` did, or the lab is */
  readonly accessFile?: string;
}

interface Known {
  /** `--context` flags. */
  readonly context: readonly string[];
  readonly before: UpRecord | undefined;
  /** The name of the stack's file, and what is in it. */
  readonly fileName: string;
  readonly file: StackConfig;
  /** Whether the stack is the lab's. */
  readonly isLab: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Chooses how each declared cluster is reached: as given by flags, by the stack's file, or by the last `up`. Clusters may come and
 * go; one that the mesh is up in stays the cluster that it is.
 * @param names - the declared clusters
 * @throws ProblemsError (exit 2) for wrong flags, a wrong stack file, and a cluster that has become another one.
 */
export function chooseClusters(at: Workspace, names: readonly string[], given: Known): Reached {
  const { context, before, fileName, file, env } = given;
  const ofLab = (clusters: readonly string[]): Access =>
    Object.fromEntries(clusters.map((name) => [name, { kubeconfig: at.kubeconfig, context: name }]));
  const isDeclared = Object.keys(file.access).length > 0;
  if (isDeclared) throwIfAny(missingClusters(file, names, fileName));
  // A lab has each of its clusters by a context of its own kubeconfig, and says itself which it has.
  const up: UpRecord['access'] = before === undefined ? {} : before.lab ? ofLab(names) : everyAccess(before);
  const left = Object.fromEntries(Object.entries(up).filter(([name]) => !names.includes(name)));
  throwIfAny(noneInCommon(names, up));
  if (context.length > 0 || isDeclared) {
    const isOfFile = context.length === 0;
    const access = isOfFile ? file.access : parseContexts(context, names, env, up);
    const where = (name: string) => (isOfFile ? `${fileName}: clusters.${name}` : `--context ${name}`);
    throwIfAny(otherClusters(access, up, where));
    return { lab: before?.lab ?? false, access, left, ...(isOfFile && { accessFile: fileName }) };
  }
  if (before !== undefined) {
    throwIfAny(names.filter((name) => own(up, name) === undefined).map(unknown));
    const access = Object.fromEntries(Object.entries(up).filter(([name]) => names.includes(name)));
    return { lab: before.lab, access, left };
  }
  if (!given.isLab) {
    throw new ProblemsError([
      {
        where: fileName,
        what: 'does not say how to reach any cluster',
        fix: `add meshwright:clusters to it, or give a --context for each of ${names.join(', ')}`,
      },
    ]);
  }
  return { lab: true, access: ofLab(names), left };
}

/** Clusters come and go one by one: other clusters altogether are another mesh, and all that is up would be removed. */
function noneInCommon(names: readonly string[], up: Access): readonly Problem[] {
  const known = Object.keys(up);
  if (known.length === 0 || known.some((name) => names.includes(name))) return [];
  return [
    {
      where: 'mesh.ts',
      what: 'declares none of the clusters that the mesh of this checkout is up in: it would be removed from all of them',
      received: names.join(', '),
      allowed: `one of ${known.join(', ')}, and any others`,
      fix: 'run `npm run down` first, or use another checkout',
    },
  ];
}

function unknown(name: string): Problem {
  return {
    where: `cluster ${name}`,
    what: 'is new, and nothing says how to reach it',
    fix: `give --context ${name}=CONTEXT; the clusters that the mesh is up in need none`,
  };
}

/**
 * Clusters that the mesh is up in, and that are to be reached otherwise: it would be made again somewhere else, and nobody would
 * take down what is up.
 */
function otherClusters(access: Access, up: Access, where: (name: string) => string): readonly Problem[] {
  return Object.entries(access).flatMap(([name, asked]): readonly Problem[] => {
    const known = own(up, name);
    const fix = 'run `npm run down` first, or use another checkout';
    if (known !== undefined) {
      if (isSame(asked, known)) return [];
      const what = `is another one than the mesh of this checkout is up in as cluster ${name}`;
      return [{ where: where(name), what, received: shown(asked), allowed: shown(known), fix }];
    }
    const other = Object.keys(up).find((each) => {
      const reached = own(up, each);
      return own(access, each) === undefined && reached !== undefined && isSame(asked, reached);
    });
    if (other === undefined) return [];
    const what = `is the one that the mesh of this checkout is up in as cluster ${other}`;
    const keep = `declare it as ${other} again; to rename it, ${fix}`;
    return [{ where: where(name), what, received: shown(asked), fix: keep }];
  });
}

function isSame(one: ClusterAccess, other: ClusterAccess): boolean {
  return one.kubeconfig === other.kubeconfig && one.context === other.context;
}

function shown({ kubeconfig, context }: ClusterAccess): string {
  return `context ${context} of ${kubeconfig}`;
}
