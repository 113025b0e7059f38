import { versionAnnotation } from '../../charts/model/labels.ts';
import type { Problem } from '../../core/problem.ts';
import { inQuery } from '../existing/list-kind.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { managedLabels } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * A mesh that a newer version brought up: an older one may not know what it would take away. The namespace of the control plane tells
 * the version; on an Istio of others, the default deny of each namespace with workloads of the mesh does, in whatever namespaces
 * these are: they may no longer be declared.
 */
export async function newerMesh(
  client: KubeClient,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const planned = plan.steps
    .filter(({ cluster }) => cluster === client.cluster)
    .flatMap(({ objects }) => objects)
    .filter((object) => versionOf(object) !== undefined);
  const ours = versionOf(planned[0]);
  if (ours === undefined) return [];
  const found = [
    ...(await Promise.all(planned.map((object) => client.get(object, signal)))),
    ...(plan.existing === undefined ? [] : await defaultDenies(client, plan, signal)),
  ];
  const theirs = found
    .flatMap((object) => versionOf(object) ?? [])
    .reduce((newest, version) => (isNewer(version, newest) ? version : newest), ours);
  if (theirs === ours) return [];
  return [
    {
      where: `cluster ${client.cluster}`,
      what: 'a newer version of meshwright brought up the mesh that runs there',
      received: theirs,
      allowed: `${ours}, which this is, or older`,
      fix: `use meshwright ${theirs} or newer`,
    },
  ];
}

/** The mesh's AuthorizationPolicies of all namespaces; none where these may not be listed, as those that are planned are read by name. */
async function defaultDenies(
  client: KubeClient,
  { mesh }: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const type = await client.typeOf('security.istio.io/v1', 'AuthorizationPolicy', signal);
  if (type === undefined) return [];
  const labelSelector = inQuery(managedLabels(mesh));
  return (await client.listIfAllowed(type, { labelSelector, ...(signal && { signal }) })) ?? [];
}

function versionOf(object: KubeObject | undefined): string | undefined {
  const annotations = object?.metadata.annotations;
  return annotations !== undefined && Object.hasOwn(annotations, versionAnnotation)
    ? annotations[versionAnnotation]
    : undefined;
}

/** Compares `MAJOR.MINOR.PATCH`; nothing is said of other forms. */
function isNewer(one: string, other: string): boolean {
  const [a, b] = [parts(one), parts(other)];
  if (a.length === 0 || b.length === 0) return false;
  const index = a.findIndex((part, place) => part !== b[place]);
  return (a[index] ?? 0) > (b[index] ?? 0);
}

function parts(version: string): readonly number[] {
  return /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number) ?? [];
}
