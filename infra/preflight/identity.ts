import { randomUUID } from 'node:crypto';
import { revisionLabel } from '../../charts/model/labels.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { isManaged } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { trustDomainOf } from './trust-domain.ts';

/** What tells a mesh from another one of its name, as far as it is known (docs/adr/0046). */
export interface MeshIdentity {
  readonly environment?: string;
  readonly trustDomain?: string;
  /** Drawn at the first `up`, and kept on the namespace of each control plane. */
  readonly id?: string;
}

/** The mesh, and the namespace of its control planes. */
interface Named {
  readonly mesh: string;
  readonly controlPlaneNamespace: string;
}

const annotations = { environment: 'meshwright/environment', id: 'meshwright/mesh-id' } as const;
/** A field manager of its own: an apply of the namespace as it is rendered takes no annotation away. */
const fieldManager = 'meshwright-identity';

/**
 * What a cluster has of a mesh of this name; undefined where it has no control plane of one. The namespace alone is none: it may be
 * kept when a mesh is taken down, with its annotations, for what others have there.
 */
export async function readIdentity(
  client: KubeClient,
  { mesh, controlPlaneNamespace: namespace }: Named,
  signal: AbortSignal | undefined,
): Promise<MeshIdentity | undefined> {
  const live = await client.get(namespaceNamed(namespace), signal);
  if (live === undefined || !isManaged(live, mesh)) return undefined;
  const type = await client.typeOf('v1', 'ConfigMap', signal);
  const within = { namespace, labelSelector: revisionLabel, ...(signal && { signal }) };
  const configs = type === undefined ? [] : await client.list(type, within);
  const own = configs.filter((one) => isManaged(one, mesh));
  if (own.length === 0) return undefined;
  const [trustDomain] = own.flatMap((one) => trustDomainOf(one) ?? []);
  const { [annotations.environment]: environment, [annotations.id]: id } = annotationsOf(live);
  return {
    ...(environment !== undefined && { environment }),
    ...(trustDomain !== undefined && { trustDomain }),
    ...(id !== undefined && { id }),
  };
}

/** Clusters that have another mesh, or another environment, of this name. What has the id that is known is this one. */
export function identityProblems(
  live: Readonly<Record<string, MeshIdentity | undefined>>,
  expected: MeshIdentity,
  { mesh, controlPlaneNamespace }: Named,
  told: { readonly consequence: string; readonly fix: (found: MeshIdentity | undefined) => string },
): readonly Problem[] {
  return Object.entries(live).flatMap(([cluster, found]): readonly Problem[] => {
    const [theirs, ours] = difference(found ?? {}, expected);
    if (theirs === '' || isSame(found, expected)) return [];
    const what = `has the control plane of another mesh that is named ${mesh}, or of another environment of it: ${told.consequence}`;
    const where = `${cluster}: Namespace ${controlPlaneNamespace}`;
    return [
      {
        where,
        what,
        received: theirs,
        allowed: ours,
        fix: told.fix(found),
      },
    ];
  });
}

/** What to do where an environment may only have got another name; two known ids that differ are of two meshes. */
function renamed(found: MeshIdentity | undefined, expected: MeshIdentity, namespace: string): string {
  const { trustDomain, environment } = expected;
  if (trustDomain === undefined || environment === undefined || found?.trustDomain !== trustDomain) return '';
  if (found.id !== undefined && expected.id !== undefined) return '';
  return `; if it is the same mesh, whose environment was renamed: \`kubectl annotate namespace ${namespace} ${annotations.environment}=${environment} --overwrite\` in each cluster`;
}

/** The same before an `up`, and clusters that do not have one mesh among them. */
export function foreignIdentities(
  live: Readonly<Record<string, MeshIdentity | undefined>>,
  expected: MeshIdentity,
  named: Named,
): readonly Problem[] {
  const fix =
    'check which clusters the stack or --context names: two meshes in one cluster need two names; to change the environment or the trust domain of a mesh that is up, take it down first';
  const problems = identityProblems(live, expected, named, {
    consequence: 'this one would take it over',
    fix: (found) => `${fix}${renamed(found, expected, named.controlPlaneNamespace)}`,
  });
  const ids = Object.entries(live).flatMap(([cluster, found]) =>
    found?.id === undefined ? [] : [{ cluster, id: found.id }],
  );
  if (problems.length > 0) return problems;
  const changed = changedTrustDomains(live, expected, named);
  if (changed.length > 0 || new Set(ids.map(({ id }) => id)).size < 2) return changed;
  return [
    {
      where: `clusters ${ids.map(({ cluster }) => cluster).join(', ')}`,
      what: `have control planes of different meshes that are named ${named.mesh}: this one would take all of them over`,
      received: ids.map(({ cluster, id }) => `${cluster}: ${id}`).join(', '),
      fix,
    },
  ];
}

/** A mesh that is up keeps its trust domain: proxies with the old one and with the new one would refuse each other. */
function changedTrustDomains(
  live: Readonly<Record<string, MeshIdentity | undefined>>,
  expected: MeshIdentity,
  { controlPlaneNamespace }: Named,
): readonly Problem[] {
  return Object.entries(live).flatMap(([cluster, found]): readonly Problem[] =>
    found?.trustDomain === undefined || found.trustDomain === expected.trustDomain
      ? []
      : [
          {
            where: `${cluster}: Namespace ${controlPlaneNamespace}`,
            what: 'the mesh is up with another trust domain: proxies with the one and with the other would refuse each other',
            ...{ received: expected.trustDomain, allowed: found.trustDomain },
            fix: `declare trustDomain: '${found.trustDomain}', or take the mesh down first`,
          },
        ],
  );
}

function isSame(found: MeshIdentity | undefined, expected: MeshIdentity): boolean {
  return found?.id !== undefined && found.id === expected.id;
}

/** The identity that a mesh keeps: its id is the one that a cluster has, else the one that is known, else a new one. */
export function settledIdentity(
  live: Readonly<Record<string, MeshIdentity | undefined>>,
  { environment, id }: MeshIdentity,
): MeshIdentity {
  const [found] = Object.values(live).flatMap((one) => one?.id ?? []);
  return { ...(environment !== undefined && { environment }), id: found ?? id ?? randomUUID() };
}

/** Keeps the identity on the namespace of a control plane; a mesh of an earlier version gets it, too. */
export async function markIdentity(
  client: KubeClient,
  { environment, id }: MeshIdentity,
  { mesh, controlPlaneNamespace }: Named,
  signal: AbortSignal | undefined,
): Promise<void> {
  const namespace = namespaceNamed(controlPlaneNamespace);
  const live = await client.get(namespace, signal);
  if (live === undefined || !isManaged(live, mesh)) return;
  const wanted = {
    ...(environment !== undefined && { [annotations.environment]: environment }),
    ...(id !== undefined && { [annotations.id]: id }),
  };
  const kept = annotationsOf(live);
  if (Object.entries(wanted).every(([key, value]) => kept[key] === value)) return;
  const metadata = { ...namespace.metadata, annotations: wanted };
  await client.apply({ ...namespace, metadata }, signal, fieldManager);
}

/**
 * What differs of what both sides know, as each has it; empty where nothing does. Where environment and trust domain are the same, the
 * id is as well: what was taken down and brought up again from another checkout has a new one, and this checkout still knows the old.
 */
function difference(found: MeshIdentity, expected: MeshIdentity): readonly [string, string] {
  const names = { environment: 'environment', trustDomain: 'trust domain', id: 'id' } as const;
  const isAgreed = (['environment', 'trustDomain'] as const).every(
    (key) => found[key] !== undefined && found[key] === expected[key],
  );
  if (isAgreed) return ['', ''];
  const differing = (['environment', 'trustDomain', 'id'] as const).filter(
    (key) => found[key] !== undefined && expected[key] !== undefined && found[key] !== expected[key],
  );
  const shown = (of: MeshIdentity) => differing.map((key) => `${names[key]} ${of[key] ?? ''}`).join(', ');
  return [shown(found), shown(expected)];
}

function annotationsOf({ metadata }: KubeObject): Readonly<Record<string, string>> {
  return metadata.annotations ?? {};
}

function namespaceNamed(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}
