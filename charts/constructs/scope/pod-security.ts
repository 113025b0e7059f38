import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';

/** Levels of the Pod Security Standards that namespaces of a mesh enforce. */
export type PodSecurity = 'privileged' | 'baseline' | 'restricted';

/** A lower level than the mesh's own. */
export interface LowerPodSecurity {
  /** `baseline` lets pods run as root; `privileged` lets them do anything, such as use folders of the node. */
  readonly level: 'baseline' | 'privileged';
  /** Why, for reviewers: it stands in the YAML. One line. */
  readonly reason: string;
}

const keys = keysOf<LowerPodSecurity>({ level: true, reason: true });
const levels = ['baseline', 'privileged'];

/** Annotation of a namespace whose level is lower: why. */
export const levelAnnotation = 'meshwright/accept-pod-security';

/** What is wrong with a lower level; plain JavaScript may pass anything. */
export function levelProblems(where: string, given: unknown, shared: boolean): readonly Problem[] {
  if (given === undefined) return [];
  const at = `${where}: podSecurity`;
  if (typeof given !== 'object' || given === null) {
    return [{ where: at, what: 'is not an object', received: given, allowed: '{ level, reason }' }];
  }
  const { level, reason } = given as Readonly<Record<string, unknown>>;
  return [
    ...unknownKeys(at, given, keys),
    ...(levels.some((one) => one === level)
      ? []
      : [
          { where: `${at}.level`, what: 'is not a lower level', received: level, allowed: levels.join(', ') },
        ]),
    ...(typeof reason === 'string' && /^\S(?:[^\p{Cc}]*\S)?$/u.test(reason)
      ? []
      : [{ where: `${at}.reason`, what: 'is not a reason', received: reason, allowed: 'one line of text' }]),
    ...(shared
      ? [
          {
            where: at,
            what: 'is for its owners to say, in a shared namespace',
            received: level,
            fix: 'remove it',
          },
        ]
      : []),
  ];
}

/**
 * Labels that hold a namespace's pods to a Pod Security level: pods that break it are refused, and whoever applies
 * their Deployment is warned (https://kubernetes.io/docs/concepts/security/pod-security-admission/).
 */
export function podSecurityLabels(level: PodSecurity): Readonly<Record<string, string>> {
  return { 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/warn': level };
}
