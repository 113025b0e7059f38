import type { ExistingIstioModel, MeshModel } from '../../charts/model/mesh-model.ts';
import { throwIfAny } from '../../core/problem.ts';
import { declaredNamespaces } from '../plan/reach.ts';
import type { Reaching } from '../plan/reach.ts';
import { connect } from '../kube/connection.ts';
import type { ClusterAccess, Clients } from '../kube/connection.ts';
import { qualifiedName } from '../kube/kube-client.ts';
import type { KubeClient, ResourceType } from '../kube/kube-client.ts';
import {
  describe,
  field,
  isManaged,
  managedByLabel,
  manager,
  partOfLabel,
  text,
} from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import {
  concurrency,
  deleteObjects,
  describeTypes,
  isDerived,
  listManaged,
  removalOrder,
} from '../kube/managed.ts';
import { isRestored, isWritten, ownNamespaces } from '../kube/ownership.ts';
import { pool } from '../kube/pool.ts';
import { isVolume, removalOf, tellClaims } from './kept-claims.ts';
import { identityProblems, readIdentity } from '../preflight/identity.ts';
import type { MeshIdentity } from '../preflight/identity.ts';
import { readRoots } from '../trust/roots.ts';
import { cacertsKey, hasOtherRoot } from '../trust/objects.ts';
import { issuerOf } from '../trust/state.ts';

/**
 * What removal knows a mesh by. A model has it, and so has the record of what is up: the declaration may have another name, or
 * other clusters, since. On an Istio of others nothing is deleted outside of its namespaces but what it names.
 */
export interface RemovableMesh extends Reaching, Pick<MeshModel, 'name' | 'controlPlane'> {
  readonly clusters: readonly { readonly name: string }[];
  /** Only on an Istio of others. */
  readonly existing?: Pick<ExistingIstioModel, 'ingress' | 'sharedNamespaces'>;
  /** On an Istio of others: objects outside of namespaces that applies wrote, as `describe` names them. @default - none */
  readonly outside?: readonly string[];
}

export interface RemoveOptions {
  readonly access: Readonly<Record<string, ClusterAccess>>;
  /** Folder of the mesh's CAs: its root tells this mesh from another one of the same name. May be missing. */
  readonly trustDir: string;
  /** What tells the mesh from another one of its name. @default - its root CA alone */
  readonly identity?: MeshIdentity;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Deletes from every cluster what `up` made there, found by the labels of its mesh, in the reverse order of the stages:
 * webhooks first, so that nothing waits for a webhook that is gone; then what runs, then its configuration, Istio's
 * control plane, what is not in a namespace, the definitions of custom resources, and the namespaces. A namespace or
 * a definition of which somebody else has objects is kept and said so, and so are claims and volumes, with the data and the namespace. Outside of the namespaces that are the mesh's own, only what
 * an apply of ours wrote is deleted: what others copied there, or restored from a backup, has the mesh's labels, too. On an Istio of
 * others, another mesh may have the same name: only the mesh's own namespaces are looked into, and those that are shared.
 * Running it again finds nothing to do.
 * @returns how many objects with the labels of the mesh are kept; each was told
 * @throws ProblemsError: exit 2 for a wrong kubeconfig or context, or a mesh with another root CA, before anything is
 * deleted; exit 1 for a cluster that cannot be reached, a refused deletion, or objects that do not go away in time.
 */
export async function removeMesh(model: RemovableMesh, options: RemoveOptions): Promise<number> {
  const names = model.clusters.map(({ name }) => name);
  const clients = await connect(names, options.access, options.signal);
  await checkIdentity(clients, model, options);
  await checkRoots(clients, model, options);
  await checkSeen(clients, model, options);
  const kept = await pool(Object.values(clients), names.length, (client) =>
    removeFrom(client, model, options),
  );
  return kept.reduce((sum, number) => sum + number, 0);
}

/** Refuses clusters in which another mesh of the name is, or another environment of it. */
async function checkIdentity(
  clients: Clients,
  { name: mesh, controlPlane, existing }: RemovableMesh,
  { identity: expected = {}, signal }: RemoveOptions,
): Promise<void> {
  if (existing !== undefined) return;
  const named = { mesh, controlPlaneNamespace: controlPlane.namespace };
  const live = await Promise.all(
    Object.values(clients).map(
      async (client) => [client.cluster, await readIdentity(client, named, signal)] as const,
    ),
  );
  const consequence = 'nothing was deleted';
  const fix = 'take that mesh down from the checkout that made it, or check which clusters this one names';
  throwIfAny(identityProblems(Object.fromEntries(live), expected, named, { consequence, fix: () => fix }));
}

async function checkRoots(clients: Clients, model: RemovableMesh, options: RemoveOptions): Promise<void> {
  const roots = readRoots(options.trustDir);
  // The CA of an Istio of others is not in the folder.
  if (roots.length === 0 || model.existing !== undefined) return;
  const key = cacertsKey(model.controlPlane.namespace);
  const problems = await Promise.all(
    Object.values(clients).map(async (client) => {
      const live = await client.get(key, options.signal);
      // The root of an issuer is not in the folder.
      return live !== undefined && issuerOf(live) === undefined && hasOtherRoot(live, roots)
        ? [
            {
              where: `${client.cluster}: ${describe(key)}`,
              what: `contains a different root CA than ${options.trustDir}: it belongs to another mesh, and nothing was deleted`,
              fix: 'take that mesh down from the checkout that made it, or put its trust folder there',
            },
          ]
        : [];
    }),
  );
  throwIfAny(problems.flat());
}

/** What an Istio of the mesh has beside its namespaces. Its webhooks would outlive the istiod that answers them. */
const besideNamespaces = [
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
] as const;

/** Refuses credentials that would leave some of these behind unseen, before anything is deleted. */
async function checkSeen(clients: Clients, model: RemovableMesh, { signal }: RemoveOptions): Promise<void> {
  if (model.existing !== undefined) return;
  const labelSelector = `${managedByLabel}=${manager},${partOfLabel}=${model.name}`;
  const problems = await Promise.all(
    Object.values(clients).map(async (client) => {
      const unseen = await pool(besideNamespaces, concurrency, async ([apiVersion, kind]) => {
        const type = await client.typeOf(apiVersion, kind, signal);
        if (type === undefined) return [];
        const objects = await client.listIfAllowed(type, { labelSelector, ...(signal && { signal }) });
        return objects === undefined ? [type] : [];
      });
      const kinds = unseen.flat().map(qualifiedName).join(', ');
      const what = `the credentials may not list ${kinds}, which would be left behind; nothing was deleted`;
      const fix = 'use credentials with the rights of docs/rights/down.yaml';
      return kinds === '' ? [] : [{ where: client.cluster, what, fix }];
    }),
  );
  throwIfAny(problems.flat());
}

/** @returns how many objects are kept */
async function removeFrom(client: KubeClient, model: RemovableMesh, options: RemoveOptions): Promise<number> {
  const { report, signal } = options;
  const { name: mesh, controlPlane } = model;
  const types = await client.sweepableTypes(signal);
  const { owned, others: copies } = await ownedIn(client, types, model, options);
  let left = copies.length;
  const kept = (object: KubeObject, { objects, unlisted }: Others) => {
    left++;
    const shown = objects.slice(0, 3).map(describe).join(', ');
    const because =
      objects.length > 0 && objects.every((one) => isVolume(one) && isManaged(one, mesh))
        ? `for ${shown}`
        : objects.length > 0
          ? `for what meshwright did not make: ${shown}`
          : `because these credentials may not list what others may have there: ${describeTypes(unlisted)}`;
    report(`${client.cluster}: ${describe(object)} is kept ${because}`);
  };
  let removed = 0;
  for (const group of removalOrder(owned, controlPlane.namespace)) {
    const free: KubeObject[] = [];
    for (const object of group) {
      const others = await othersOf(client, types, object, mesh, signal);
      if (others === none) free.push(object);
      else kept(object, others);
    }
    const gone = await deleteObjects(client, free, signal);
    await tellClaims(client, gone, report, signal);
    removed += gone.length;
  }
  const free: KubeObject[] = [];
  for (const namespace of owned.filter(({ kind }) => kind === 'Namespace')) {
    await removeIstioLeftovers(client, types, namespace.metadata.name, signal);
    const others = await othersIn(client, types, namespace.metadata.name, mesh, signal);
    if (others === none) free.push(namespace);
    else kept(namespace, others);
  }
  removed += (await deleteObjects(client, free, signal)).length;
  report(`${client.cluster}: ${removed === 0 ? 'nothing to remove' : `removed ${removed} objects`}`);
  return left;
}

/** Of what has the labels of the mesh: what is to be deleted, and what stays: what others put there, and what holds data. */
async function ownedIn(
  client: KubeClient,
  types: readonly ResourceType[],
  model: RemovableMesh,
  { report, signal }: RemoveOptions,
): Promise<{ readonly owned: readonly KubeObject[]; readonly others: readonly KubeObject[] }> {
  const { existing } = model;
  const reach =
    existing === undefined
      ? undefined
      : { namespaces: declaredNamespaces(model), outside: model.outside ?? [] };
  const { objects, unlisted } = await listManaged(client, types, model.name, signal, reach);
  if (unlisted.length > 0)
    report(
      `${client.cluster}: objects of kinds that these credentials may not list were not looked for: ${describeTypes(unlisted)}`,
    );
  const isNamespace = ({ kind }: KubeObject) => kind === 'Namespace';
  const shared = existing?.sharedNamespaces ?? [];
  const whole = ownNamespaces(objects).filter((name) => !shared.includes(name));
  const ours = objects.filter((object) =>
    isNamespace(object)
      ? whole.includes(object.metadata.name)
      : whole.includes(object.metadata.namespace ?? '') || isWritten(object),
  );
  const others = objects.filter(
    (one) => !ours.includes(one) && !(isNamespace(one) && shared.includes(one.metadata.name)),
  );
  for (const object of others) {
    const why = isRestored(object)
      ? 'was restored from a backup: if it is declared, the next `up` makes it of this mesh again; else delete it by hand'
      : "has the mesh's labels, but meshwright did not write it";
    report(`${client.cluster}: ${describe(object)} is kept: it ${why}`);
  }
  const volumes = ours.filter(isVolume);
  for (const object of volumes)
    report(
      `${client.cluster}: ${describe(object)} is kept, with its data; to delete it and the data for good: ${removalOf(client, object)}`,
    );
  return { owned: ours.filter((one) => !isVolume(one)), others: [...others, ...volumes] };
}

/** ConfigMaps that istiod writes into every namespace, its root certificate and its revocation list, and leaves there. */
const istioCopies: readonly string[] = ['istio-ca-root-cert', 'istio-ca-crl'];

/** Deletes {@link istioCopies}. */
async function removeIstioLeftovers(
  client: KubeClient,
  types: readonly ResourceType[],
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const type = types.find(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap');
  if (type === undefined) return;
  const labelSelector = 'istio.io/config=true';
  const written = await client.list(type, { namespace, labelSelector, ...(signal && { signal }) });
  const copies = written.filter(({ metadata }) => istioCopies.includes(metadata.name));
  await deleteObjects(client, copies, signal);
}

/** What others have that would go with an object of ours. */
interface Others {
  readonly objects: readonly KubeObject[];
  /** Kinds of which they may have some, because the credentials may not list them. */
  readonly unlisted: readonly ResourceType[];
}

const none: Others = { objects: [], unlisted: [] };

/** Custom resources of others, which would go with their definition; of any other object there are none. */
async function othersOf(
  client: KubeClient,
  types: readonly ResourceType[],
  object: KubeObject,
  mesh: string,
  signal: AbortSignal | undefined,
): Promise<Others> {
  if (object.kind !== 'CustomResourceDefinition') return none;
  const own = types.filter((served) => qualifiedName(served) === object.metadata.name);
  return othersAmong(client, own, (resource) => isOfOthers(resource, mesh), { ...(signal && { signal }) });
}

/** What is in a namespace without being ours, made from ours, or put there by Kubernetes or Istio; and claims, whosever they are. */
async function othersIn(
  client: KubeClient,
  types: readonly ResourceType[],
  namespace: string,
  mesh: string,
  signal: AbortSignal | undefined,
): Promise<Others> {
  const namespaced = types.filter(({ namespaced, kind }) => namespaced && !passingKinds.includes(kind));
  // A claim of ours would go with its namespace.
  const isOther = (object: KubeObject) =>
    (isOfOthers(object, mesh) && !isProvided(object)) || (isVolume(object) && !isDerived(object));
  return othersAmong(client, namespaced, isOther, { namespace, ...(signal && { signal }) });
}

async function othersAmong(
  client: KubeClient,
  types: readonly ResourceType[],
  isOther: (object: KubeObject) => boolean,
  where: { readonly namespace?: string; readonly signal?: AbortSignal },
): Promise<Others> {
  const unlisted: ResourceType[] = [];
  const found = await pool(types, concurrency, async (type) => {
    const objects = await client.listIfAllowed(type, where);
    if (objects === undefined) unlisted.push(type);
    return objects ?? [];
  });
  const objects = found.flat().filter(isOther);
  return objects.length + unlisted.length === 0 ? none : { objects, unlisted };
}

function isOfOthers(object: KubeObject, mesh: string): boolean {
  return !isManaged(object, mesh) && !isDerived(object);
}

/** Records of what happened and who leads, which nobody misses. */
const passingKinds: readonly string[] = ['Event', 'Lease'];
const providedNames: readonly string[] = [
  'ServiceAccount default',
  'ConfigMap kube-root-ca.crt',
  ...istioCopies.map((name) => `ConfigMap ${name}`),
];

/** What every namespace has, tokens that Kubernetes made for a service account, and the locks of istiod's leaders. */
function isProvided(object: KubeObject): boolean {
  return (
    providedNames.includes(`${object.kind} ${object.metadata.name}`) ||
    text(object, 'type') === 'kubernetes.io/service-account-token' ||
    field(object, 'metadata', 'annotations', 'control-plane.alpha.kubernetes.io/leader') !== undefined
  );
}
