import type { Problem } from '../../core/problem.ts';
import type { KubeClient, ResourceType } from '../kube/kube-client.ts';
import { describe, keyOf, managedByLabel, manager, partOfLabel } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { concurrency, listManaged } from '../kube/managed.ts';
import { isOfOthers, otherMesh } from '../kube/ownership.ts';
import { pool } from '../kube/pool.ts';
import type { Plan, PlannedSecret } from '../plan/plan.ts';
import { outsideNamespaces, plannedNamespaces } from '../plan/reach.ts';

/**
 * Objects of others, in any namespace, that have the names of ours: a namespace may be handed over with what it holds, its owners
 * may deploy into it, and an object of one's own may be for a namespace of others. What has the labels of the mesh is listed by
 * kind; only the rest is asked for by name.
 * @param release - the objects of the cluster's Istio releases, as far as they are known
 */
export async function takenNames(
  client: KubeClient,
  plan: Plan,
  release: readonly KubeObject[],
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const steps = plan.steps.filter(({ cluster }) => cluster === client.cluster);
  const objects = steps.flatMap((step) => step.objects);
  // What gets its name from Istio or from us.
  const named = [...release, ...steps.flatMap(({ secrets }) => secrets.map(keyOfSecret))];
  const planned = [...objects, ...named];
  const reach =
    plan.existing === undefined
      ? undefined
      : { namespaces: plannedNamespaces(plan), outside: outsideNamespaces(planned) };
  const types = await typesOf(client, planned, signal);
  const { objects: managed } = await listManaged(client, types, plan.mesh, signal, reach);
  const known = new Set(managed.map(keyOf));
  const asked = planned.filter(
    (object) => object.metadata.namespace !== undefined && !known.has(keyOf(object)),
  );
  const live = await pool(asked, concurrency, (object) => client.get(object, signal));
  const own = objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
  const fixed = new Set(named.map(keyOf));
  return live.flatMap((object): readonly Problem[] =>
    object === undefined || !isOfOthers(object, plan.mesh)
      ? []
      : [problemOf(client.cluster, object, plan, own, fixed.has(keyOf(object)))],
  );
}

/** What is made when its step is reached. */
function keyOfSecret({ kind, namespace, name }: PlannedSecret): KubeObject {
  const made = kind === 'trust-anchors' ? 'ConfigMap' : 'Secret';
  return { apiVersion: 'v1', kind: made, metadata: { namespace, name } };
}

async function typesOf(
  client: KubeClient,
  planned: readonly KubeObject[],
  signal: AbortSignal | undefined,
): Promise<readonly ResourceType[]> {
  const kinds = new Map(
    planned.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]),
  );
  const types = await Promise.all(
    [...kinds.values()].map(({ apiVersion, kind }) => client.typeOf(apiVersion, kind, signal)),
  );
  return types.flatMap((type) => type ?? []);
}

function problemOf(
  cluster: string,
  object: KubeObject,
  { mesh, existing }: Plan,
  own: readonly string[],
  isNameFixed: boolean,
): Problem {
  const where = `${cluster}: ${describe(object)}`;
  const other = otherMesh(object, mesh);
  const rename = isNameFixed ? [] : ['declare another name'];
  if (other !== undefined) {
    const fix = [...rename, 'take that mesh down first'].join(', or ');
    return { where, what: `belongs to mesh ${other}, and this mesh would overwrite it`, fix };
  }
  const namespace = object.metadata.namespace ?? '';
  const isShared = existing?.sharedNamespaces.includes(namespace) === true;
  const place = isShared
    ? 'in a namespace that the mesh shares'
    : own.includes(namespace)
      ? 'in a namespace that is declared as ours'
      : 'in a namespace that the mesh does not make';
  const what = `exists already ${place}, and belongs to others: the mesh would overwrite it`;
  if (isShared) return { where, what, fix: 'declare another name' };
  const remove = 'have its owners delete it';
  if (existing !== undefined) return { where, what, fix: `declare another name, or ${remove}` };
  const handOver = `hand it over to meshwright, which then overwrites it, and deletes it at \`down\`: ${labelCommand(object, mesh)}`;
  return { where, what, fix: [...rename, remove, `or ${handOver}`].join(', ') };
}

function labelCommand({ apiVersion, kind, metadata }: KubeObject, mesh: string): string {
  const [group, version] = apiVersion.split('/');
  const resource = `${kind.toLowerCase()}${version === undefined ? '' : `.${group ?? ''}`}`;
  return `kubectl label ${resource} ${metadata.name} --namespace ${metadata.namespace ?? 'default'} ${managedByLabel}=${manager} ${partOfLabel}=${mesh} --overwrite`;
}
