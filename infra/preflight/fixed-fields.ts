import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { KubeError } from '../kube/kube-http.ts';
import { describe, field, isManaged, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { kubectlCommand } from '../kube/kubectl.ts';
import { concurrency } from '../kube/managed.ts';
import { pool } from '../kube/pool.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * StatefulSets that are declared with other values in fields that Kubernetes never changes
 * (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/): the API server would refuse them in the midst of an apply. It is
 * asked, without a change, where something looks different: one amount may be written in several ways.
 */
export async function fixedFieldProblems(
  client: KubeClient,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const sets = plan.steps
    .filter(({ cluster }) => cluster === client.cluster)
    .flatMap(({ objects }) => objects)
    .filter(({ kind, apiVersion }) => kind === 'StatefulSet' && apiVersion === 'apps/v1');
  const found = await pool(sets, concurrency, async (object): Promise<readonly Problem[]> => {
    const live = await client.get(object, signal);
    if (live === undefined || !isManaged(live, plan.mesh)) return [];
    const changes = changesOf(object, live);
    if (changes.length === 0 || !(await isRefused(client, object, signal))) return [];
    return [problemOf(client, object, changes)];
  });
  return found.flat();
}

/** What the API server says of a field that it never changes (kubernetes/kubernetes, `ValidateStatefulSetUpdate`). */
const ofFixedField = /updates to statefulset spec|field is immutable/i;

async function isRefused(
  client: KubeClient,
  object: KubeObject,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await client.dryRunApply(object, signal);
    return false;
  } catch (error) {
    // Of anything else, the apply tells.
    if (error instanceof KubeError) return error.status === 422 && ofFixedField.test(error.reason);
    throw error;
  }
}

/** What differs in a field that stays as it was made: `volumeClaimTemplates[data].size: 1Gi, declared 2Gi`. */
function changesOf(wanted: KubeObject, live: KubeObject): readonly string[] {
  const [now, then] = [facts(wanted), facts(live)];
  const keys = [...new Set([...then.keys(), ...now.keys()])];
  return keys
    .filter((key) => !isDeepStrictEqual(now.get(key), then.get(key)))
    .map((key) => `${key} is ${shown(then.get(key))}, declared ${shown(now.get(key))}`);
}

/** The fields that never change, each by what it is called. */
function facts(set: KubeObject): ReadonlyMap<string, unknown> {
  const spec = (key: string) => field(set, 'spec', key);
  return new Map<string, unknown>([
    ['serviceName', spec('serviceName')],
    ['podManagementPolicy', spec('podManagementPolicy') ?? 'OrderedReady'],
    ['selector', spec('selector')],
    ...list(set, 'spec', 'volumeClaimTemplates').flatMap((claim): (readonly [string, unknown])[] => {
      const of = `volumeClaimTemplates[${text(claim, 'metadata', 'name') ?? ''}]`;
      return [
        [`${of}.size`, field(claim, 'spec', 'resources', 'requests', 'storage')],
        [`${of}.accessModes`, field(claim, 'spec', 'accessModes')],
        [`${of}.storageClassName`, field(claim, 'spec', 'storageClassName')],
      ];
    }),
  ]);
}

function shown(value: unknown): string {
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function problemOf(client: KubeClient, object: KubeObject, changes: readonly string[]): Problem {
  const { namespace = 'default', name } = object.metadata;
  const orphan = ['delete', 'statefulset', name, '--cascade=orphan'];
  return {
    where: `${client.cluster}: ${describe(object)}`,
    what: `is declared with other values in fields that Kubernetes never changes in a StatefulSet: ${changes.join('; ')}`,
    fix:
      'declare it as it is; or have it made anew around its pods, which run on: ' +
      `${kubectlCommand(client, '-n', namespace, ...orphan)}, then run this again. ` +
      'Claims that there are stay as they are: each is made larger by itself, where its class allows it',
  };
}
