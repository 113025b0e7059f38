import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { kubectlCommand } from '../kube/kubectl.ts';
import { subjectOf } from '../kube/pod-trouble.ts';
import type { Trouble } from '../kube/pod-trouble.ts';
import { lastWords } from './pod-watch.ts';

/** How many containers of a workload are told of, when they have different troubles. */
const shown = 3;

/**
 * What is told of a workload whose pods do not start: which container and why, what to do, a command to look further, and
 * the end of the log.
 * @param troubles - at least one, the worst first; pods of one template have the same ones, which are told once
 */
export async function podProblem(
  client: KubeClient,
  workload: KubeObject,
  troubles: readonly Trouble[],
  signal?: AbortSignal,
): Promise<Problem> {
  const kinds = [...new Set(troubles.map(kindOf))].slice(0, shown);
  const told = kinds.flatMap((kind) => troubles.find((trouble) => kindOf(trouble) === kind) ?? []);
  const what = told.map((trouble) => `${subjectOf(trouble)} ${trouble.what}`).join('; ');
  const fixes = new Set(told.map(({ fix }) => fix));
  const [worst] = told;
  const look = worst === undefined ? '' : `; to see more: \`${lookCommand(client, workload, worst)}\``;
  const lines: string[] = [];
  for (const trouble of told) {
    const log = await lastWords(client, trouble, signal);
    if (log.length > 0)
      lines.push(`the log of ${subjectOf(trouble)} ends:`, ...log.map((line) => `  ${line}`));
  }
  return {
    where: `${client.cluster}: ${describe(workload)}`,
    what: `does not get ready: ${what}`,
    fix: `${[...fixes].join('; ')}, then run the command again${look}`,
    ...(lines.length > 0 && { lines }),
  };
}

function kindOf({ container = '', reason, what }: Trouble): string {
  return container === '' ? what : `${container} ${reason}`;
}

function lookCommand(client: KubeClient, workload: KubeObject, { pod, container, log }: Trouble): string {
  const { namespace = 'default', name } = pod.metadata;
  const inNamespace = (...words: readonly string[]) => kubectlCommand(client, '-n', namespace, ...words);
  if (pod.kind !== 'Pod') return inNamespace('describe', workload.kind.toLowerCase(), name);
  if (log === undefined || container === undefined) return inNamespace('describe', 'pod', name);
  return inNamespace('logs', name, '-c', container, ...(log === 'previous' ? ['--previous'] : []));
}
