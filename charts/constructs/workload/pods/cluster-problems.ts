import type { AnyConfig } from '../../../../apps/config/app-config.ts';
import { checkEnv } from '../../../../apps/config/env-rules.ts';
import { annotationProblems, labelProblems } from '../../../../apps/config/pod/names.ts';
import type { InCluster } from '../../../../apps/config/pod/pod.ts';
import { checkAutoscaling } from '../../../../apps/config/pod-rules.ts';
import { checkResources } from '../../../../apps/config/rules.ts';
import { isForeign } from '../../../../apps/config/app-config.ts';
import type { Problem } from '../../../../core/problem.ts';

/** Whether what differs in a cluster fits what holds everywhere. */
export function clusterProblems(
  where: string,
  there: InCluster,
  config: AnyConfig,
  hasVersions: boolean,
): readonly Problem[] {
  const keyed = (...path: readonly string[]) => `${where}.${path.join('.')}`;
  const { env = {}, replicas, resources, nodeSelector = {}, serviceAccount } = there;
  const names = Object.keys(env);
  // Of those that hold everywhere, problems are told there.
  const isOwn = (problem: Problem) => names.some((name) => problem.where.startsWith(keyed('env', name)));
  return [
    ...checkEnv({ env: { ...config.env, ...env } }, keyed, !isForeign(config)).filter(isOwn),
    ...(resources === undefined ? [] : checkResources({ resources }, keyed)),
    ...(replicas === undefined
      ? []
      : checkAutoscaling({ replicas, autoscaling: config.autoscaling }, keyed).map((problem) => ({
          ...problem,
          where: keyed('replicas'),
        }))),
    ...labelProblems(keyed('nodeSelector'), nodeSelector, 'nodes'),
    ...annotationProblems(
      keyed('serviceAccount', 'annotations'),
      serviceAccount?.annotations ?? {},
      'account',
    ),
    ...(['image', 'replicas'] as const)
      .filter((key) => hasVersions && there[key] !== undefined)
      .map((key) => ({
        where: keyed(key),
        what: 'cannot be combined with versions, each of which has its own',
        received: there[key],
        fix: 'remove it, and give versions of different images or numbers of pods a placement each',
      })),
  ];
}
