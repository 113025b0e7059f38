import type { Problem } from '../../core/problem.ts';
import { concurrency } from '../kube/managed.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { KubeError } from '../kube/kube-http.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { pool } from '../kube/pool.ts';
import { isAllowed } from './access-review.ts';
import type { Access } from './access-review.ts';
import { missingGrants } from './grants.ts';
import { grantingVerbs, outsiderNamespace, rightsOf } from './rights.ts';
import type { Place, Right } from './rights.ts';

/**
 * One problem when the credentials of a cluster lack a right that applying, checking and removing the plan needs (rights.ts),
 * according to the cluster's own authorizer. While the releases are not known, what is theirs outside of namespaces is left out:
 * it is asked again before they are applied.
 * @param release - returns the rendered objects of the cluster's Istio releases, as far as they are known; called only when needed
 */
export async function missingPermissions(
  client: KubeClient,
  plan: Plan,
  release: () => Promise<readonly KubeObject[]>,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const may = asking(client, signal);
  if (await may({ verb: '*', resource: '*.*' })) return [];
  const steps = plan.steps.filter(({ cluster }) => cluster === client.cluster);
  const planned = steps.flatMap(({ objects }) => objects);
  const objects = [...planned, ...(await release())];
  const declared = planned.filter(({ kind }) => kind === 'Namespace');
  const rights = rightsOf('up', {
    objects,
    clusters: plan.clusters,
    makesNamespaces: await lacksOne(client, declared, signal),
    onExisting: plan.existing !== undefined,
    sharedNamespaces: plan.existing?.sharedNamespaces ?? [],
    joinsGateways: plan.existing?.ingress !== undefined,
    ...(plan.caVolume && { caDriver: plan.caVolume.driver }),
  });
  const places: Readonly<Record<Place, readonly string[]>> = {
    cluster: [],
    mesh: [
      ...declared.map(({ metadata }) => metadata.name),
      ...(plan.existing?.sharedNamespaces ?? []),
    ].sort(),
    'control-plane': [plan.controlPlaneNamespace],
    default: [outsiderNamespace],
  };
  const missing = await lacking(rights, places, may);
  const grants = await missingGrants(client, objects, signal);
  if (missing.length + grants.length === 0) return [];
  return [
    {
      where: `cluster ${client.cluster}`,
      what: `the credentials of context ${client.config.getCurrentContext()} lack these permissions: ${[...missing, ...grants].join('; ')}`,
      fix: 'use credentials with the ClusterRole cluster-admin, or have these permissions granted',
    },
  ];
}

type May = (access: Access) => Promise<boolean>;

/** Asks the cluster's authorizer each question once. */
function asking(client: KubeClient, signal: AbortSignal | undefined): May {
  const answers = new Map<string, Promise<boolean>>();
  return (access) => {
    const key = JSON.stringify(access);
    const answer = answers.get(key) ?? isAllowed(client, access, signal);
    answers.set(key, answer);
    return answer;
  };
}

/** Whether one of these does not exist; not, where they may not be read: that is reported. */
async function lacksOne(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const absent = await pool(objects, concurrency, async (object) => {
    try {
      return (await client.get(object, signal)) === undefined;
    } catch (error) {
      if (error instanceof KubeError && error.status === 403) return false;
      throw error;
    }
  });
  return absent.some(Boolean);
}

/** Phrases such as `create, delete on pods, services in shop`. */
async function lacking(
  rights: readonly Right[],
  places: Readonly<Record<Place, readonly string[]>>,
  may: May,
): Promise<readonly string[]> {
  const questions = rights.flatMap((right) =>
    right.verbs.filter((verb) => !grantingVerbs.includes(verb)).map((verb) => ({ right, verb })),
  );
  const answers = await pool(questions, concurrency, async ({ right, verb }) => {
    const { resource, place, names } = right;
    if (await may({ verb, resource })) return [];
    const lacks = async (where: { readonly namespace?: string }) => {
      if (await may({ verb, resource, ...where })) return false;
      if (names === undefined) return true;
      for (const name of names) if (!(await may({ verb, resource, name, ...where }))) return true;
      return false;
    };
    const of = names === undefined ? resource : `${resource} (${names.join(', ')})`;
    if (place === 'cluster') return (await lacks({})) ? [{ verb, of, where: '' }] : [];
    const denied: string[] = [];
    for (const namespace of places[place]) if (await lacks({ namespace })) denied.push(namespace);
    return denied.length === 0 ? [] : [{ verb, of, where: ` in ${denied.join(', ')}` }];
  });
  const verbsOf = Map.groupBy(answers.flat(), ({ of, where }) => JSON.stringify([of, where]));
  const byVerbs = Map.groupBy(verbsOf.values(), (all) => {
    const verbs = all.map(({ verb }) => verb).join(', ');
    return JSON.stringify([verbs, all[0]?.where]);
  });
  return [...byVerbs].map(([key, all]) => {
    const [verbs, where] = JSON.parse(key) as readonly string[];
    return `${verbs ?? ''} on ${all.map(([first]) => first?.of).join(', ')}${where ?? ''}`;
  });
}
