import { ProblemsError, throwIfAny } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { checkReachable } from '../kube/api-server.ts';
import { connect } from '../kube/connection.ts';
import type { Clients } from '../kube/connection.ts';
import { renderIstioReleases } from '../plan/istio-release.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import {
  describe,
  isManaged,
  list,
  managedByLabel,
  manager,
  partOfLabel,
  text,
} from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { existingIstioProblems } from '../existing/check.ts';
import { existingProblems } from './existing-services.ts';
import { fixedFieldProblems } from './fixed-fields.ts';
import { nativeSidecarProblems } from './native-sidecars.ts';
import { newerMesh } from './newer-mesh.ts';
import { missingPermissions } from './permissions.ts';
import { sameClusters } from './same-cluster.ts';
import { foreignIdentities, readIdentity, settledIdentity, type MeshIdentity } from './identity.ts';
import { takenNames } from './taken-names.ts';
import { sharedTrustDomains } from './trust-domain.ts';
import { istioctlProblems, versionProblems } from './versions.ts';
import { webhookProblems } from './webhooks.ts';
import type { StackConfig } from '../plan/stack-config.ts';
import { findStranded } from './stranded.ts';
import { ensureTrust, previewTrust } from '../trust/folder.ts';
import type { ClusterTrust } from '../trust/folder.ts';
import { issuedNotAfter } from '../trust/issued.ts';
import { caVolumeProblems, unnamedVolume } from '../trust/ca-volume-preflight.ts';
import { issuerProblems } from '../trust/issuer-preflight.ts';
import { trustProblems } from '../trust/trust-preflight.ts';

export interface PreflightOptions extends Omit<StackConfig, 'istioctl' | 'values'> {
  /** @default - not checked, because it is not installed yet */
  readonly istioctl?: string;
  /** Called with each warning. @default - warnings are dropped */
  readonly warn?: (line: string) => void;
  /**
   * Namespaces that earlier applies of this mesh wrote in, by which a mesh on an Istio of others is told from another one of the
   * same name. @default - not known, and not compared
   */
  readonly earlierNamespaces?: readonly string[];
  /** What tells the mesh from another one of its name; its trust domain is the plan's. @default - the trust domain alone */
  readonly identity?: Pick<MeshIdentity, 'environment' | 'id'>;
  /** Also writes nothing on this machine: missing CAs are created but not kept. @default false */
  readonly preview?: boolean;
  /** Returns the rendered objects of a cluster's Istio releases. @default - `istioctl` renders them again */
  readonly releaseIn?: (cluster: string) => Promise<readonly KubeObject[]>;
  readonly signal?: AbortSignal;
}

/** What both engines start with. */
export interface Preflight {
  readonly clients: Clients;
  /** By cluster; empty when an issuer signs the CAs, or a volume holds them. */
  readonly trust: Readonly<Record<string, ClusterTrust>>;
  /** End of validity of each cluster's CA, where one exists. */
  readonly trustNotAfter: Readonly<Record<string, Date>>;
  /** What is kept on the control planes' namespaces. @default - nothing, on an Istio of others */
  readonly identity?: MeshIdentity;
}

/**
 * Checks whether the plan can be applied, before anything is recorded or changed in a cluster: every cluster can be
 * reached, from here and from the others; no two are the same cluster; the credentials suffice and the versions are
 * supported; the CAs are valid; no object of another owner is in the way; and no pod loses its control plane.
 * @throws ProblemsError: exit 2 for a wrong kubeconfig, context or trust folder, for credentials and versions, and for
 * objects of other owners; exit 1 when a cluster cannot be reached.
 */
export async function preflightMesh(plan: Plan, options: PreflightOptions): Promise<Preflight> {
  const { access, signal } = options;
  const clients = await connect(plan.clusters, access, signal);
  checkReachable(clients, access);
  const all = Object.values(clients);
  const unfit = await findUnfit(plan, all, options);
  const { identity: expected = {} } = options;
  const identities = await identitiesOf(plan, all, signal);
  const problems = await Promise.all([
    ...all.map((client) => findStrangers(client, plan, signal)),
    ...all.map((client) => findTaken(client, plan, options)),
    ...all.map((client) => newerMesh(client, plan, signal)),
    ...all.map((client) => webhookProblems(client, plan, signal)),
    ...all.map((client) => findStranded(client, plan, signal)),
    ...all.map((client) => fixedFieldProblems(client, plan, signal)),
    ...all.map((client) => nativeSidecarProblems(client, plan, options.warn ?? (() => undefined), signal)),
    existingProblems(all, plan, { warn: options.warn ?? (() => undefined), signal }),
    controlPlaneProblems(plan, all, options),
  ]);
  const foreign = foreignIdentities(identities, { ...expected, trustDomain: plan.trustDomain }, plan);
  throwIfAny([...unfit, ...foreign, ...problems.flat()]);
  const settled = await settledTrust(plan, options);
  const ends = plan.issuer === undefined ? {} : await issuedNotAfter(all, plan.controlPlaneNamespace, signal);
  return {
    ...{ clients, ...settled, trustNotAfter: { ...settled.trustNotAfter, ...ends } },
    ...(plan.existing === undefined && { identity: settledIdentity(identities, expected) }),
  };
}

/** What each cluster has of a mesh of this name. On an Istio of others, its namespaces tell it. */
async function identitiesOf(
  plan: Plan,
  clients: readonly KubeClient[],
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, MeshIdentity | undefined>>> {
  if (plan.existing !== undefined) return {};
  const found = clients.map(
    async (client) => [client.cluster, await readIdentity(client, plan, signal)] as const,
  );
  return Object.fromEntries(await Promise.all(found));
}

/** Problems of what signs and distributes identities: the mesh's own control plane, or that of others. */
async function controlPlaneProblems(
  plan: Plan,
  clients: readonly KubeClient[],
  { trustDir, trust, earlierNamespaces, warn = () => undefined, signal }: PreflightOptions,
): Promise<readonly Problem[]> {
  const { existing, controlPlaneNamespace: namespace, issuer, caVolume } = plan;
  if (existing !== undefined)
    return existingIstioProblems(clients, plan, existing, earlierNamespaces, warn, signal);
  const domains = await Promise.all(clients.map((client) => sharedTrustDomains(client, plan, signal)));
  if (caVolume !== undefined)
    return [...domains.flat(), ...(await caVolumeProblems(clients, namespace, caVolume, signal))];
  const volumes = await Promise.all(clients.map((client) => unnamedVolume(client, namespace, signal)));
  const ofTrust =
    issuer === undefined
      ? trustProblems(clients, namespace, trustDir, trust, signal)
      : issuerProblems(clients, namespace, issuer, signal);
  return [...domains.flat(), ...volumes.flat(), ...(await ofTrust)];
}

/**
 * The mesh's CAs in the trust folder; none when an issuer signs the CAs, a volume holds them, or the Istio of others has its own.
 * @throws ProblemsError (exit 2) for a wrong trust folder.
 */
export async function settledTrust(
  plan: Plan,
  { trustDir, trust: settings, preview = false }: Pick<PreflightOptions, 'trustDir' | 'trust' | 'preview'>,
): Promise<Omit<Preflight, 'clients'>> {
  const { issuer, caVolume, existing } = plan;
  if (issuer !== undefined || caVolume !== undefined || existing !== undefined)
    return { trust: {}, trustNotAfter: {} };
  const settle = preview ? previewTrust : ensureTrust;
  const trust = await settle(trustDir, plan.mesh, plan.clusters, plan.controlPlaneNamespace, settings);
  const ends = Object.entries(trust).map(([cluster, { notAfter }]) => [cluster, notAfter] as const);
  return { trust, trustNotAfter: Object.fromEntries(ends) };
}

/**
 * Problems of the clusters themselves, of the credentials and of istioctl.
 * @throws ProblemsError at once when the credentials do not suffice, because nothing else can be read then.
 */
async function findUnfit(
  plan: Plan,
  clients: readonly KubeClient[],
  options: PreflightOptions,
): Promise<readonly Problem[]> {
  const { istioctl, warn = () => undefined, signal } = options;
  const lists = await Promise.all([
    sameClusters(clients, signal),
    ...clients.map((client) => versionProblems(client, warn, signal)),
    istioctl === undefined || plan.existing !== undefined ? [] : istioctlProblems(istioctl, plan, signal),
  ]);
  const permissions = await Promise.all(
    clients.map((client) => {
      const release = () => releaseOf(client.cluster, plan, options);
      return missingPermissions(client, plan, release, signal);
    }),
  );
  const denied = permissions.flat();
  if (denied.length > 0) throw new ProblemsError([...lists.flat(), ...denied]);
  return lists.flat();
}

/** Names that the plan would take from others in namespaces. */
async function findTaken(
  client: KubeClient,
  plan: Plan,
  options: PreflightOptions,
): Promise<readonly Problem[]> {
  return takenNames(client, plan, await releaseOf(client.cluster, plan, options), options.signal);
}

/** The objects of a cluster's releases; empty while there is no istioctl to render them. */
async function releaseOf(
  cluster: string,
  plan: Plan,
  { istioctl, releaseIn, signal }: PreflightOptions,
): Promise<readonly KubeObject[]> {
  const releases = plan.steps.filter((step) => step.cluster === cluster).flatMap((step) => step.releases);
  if (istioctl === undefined || releases.length === 0) return [];
  try {
    return await (releaseIn?.(cluster) ?? renderIstioReleases(istioctl, releases, plan.mesh, signal));
  } catch (error) {
    // They are rendered again when they are applied, and the error is reported there.
    if (error instanceof ProblemsError) return [];
    throw error;
  }
}

/** Cluster-scoped kinds of a release: two Istios in a cluster would share them, whatever their revisions. */
const sharedKinds = [
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
] as const;

function isNamedAsIstio({ metadata: { name } }: KubeObject): boolean {
  return name.startsWith('istio') || name.endsWith('.istio.io');
}

/** Istio's webhooks keep their own names, whatever their configuration is called. */
function isOfIstio(object: KubeObject): boolean {
  return (
    isNamedAsIstio(object) ||
    list(object, 'webhooks').some((webhook) => text(webhook, 'name')?.endsWith('.istio.io'))
  );
}

/** Of what is looked for, all that is in a namespace is a part of Istio. */
function belongsToIstio(object: KubeObject): boolean {
  return object.metadata.namespace !== undefined || isOfIstio(object);
}

/** An Istio of another owner, and the namespaces and cluster-scoped objects of others that the plan would take over. */
async function findStrangers(
  client: KubeClient,
  plan: Plan,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const listOf = async (apiVersion: string, kind: string, labelSelector?: string) => {
    const type = await client.typeOf(apiVersion, kind, signal);
    return type === undefined
      ? []
      : client.list(type, { ...(labelSelector && { labelSelector }), ...(signal && { signal }) });
  };
  const planned = plan.steps
    .filter(({ cluster }) => cluster === client.cluster)
    .flatMap(({ objects }) => objects)
    .filter(({ metadata }) => metadata.namespace === undefined);
  const ofIstio = () => [
    listOf('apps/v1', 'Deployment', 'app=istiod'),
    // Ambient mode, and Istio's CNI agent: they redirect the traffic of all pods of a node.
    listOf('apps/v1', 'DaemonSet', 'app=ztunnel'),
    listOf('apps/v1', 'DaemonSet', 'k8s-app=istio-cni-node'),
    ...sharedKinds.map(async ([version, kind]) => (await listOf(version, kind)).filter(isOfIstio)),
  ];
  const found = await Promise.all([
    // The mesh runs on it where it is declared as existing.
    ...(plan.existing === undefined ? ofIstio() : []),
    ...planned.map(async (object) => (await client.get(object, signal)) ?? []),
  ]);
  const strangers = new Map(
    found
      .flat()
      .filter((object) => !isManaged(object, plan.mesh))
      .map((object) => [describe(object), object]),
  );
  return [...strangers.values()].map((object) => problemOf(client.cluster, object, plan));
}

function helmRelease({ metadata: { annotations = {} } }: KubeObject): string {
  const [name, namespace] = ['name', 'namespace'].map((key) => annotations[`meta.helm.sh/release-${key}`]);
  return name === undefined ? '' : ` (Helm release ${name} in ${namespace ?? 'default'})`;
}

function problemOf(cluster: string, object: KubeObject, { mesh, existing }: Plan): Problem {
  const where = `${cluster}: ${describe(object)}`;
  const { labels = {}, name } = object.metadata;
  const other = labels[managedByLabel] === manager ? labels[partOfLabel] : undefined;
  if (other !== undefined) {
    return {
      where,
      what: `belongs to mesh ${other}`,
      fix: 'take that mesh down first, or use another cluster',
    };
  }
  if (object.kind !== 'Namespace' && (existing !== undefined || !belongsToIstio(object))) {
    const what = 'exists already, and meshwright did not create it';
    return { where, what, fix: 'give the one that is declared another name' };
  }
  if (object.kind !== 'Namespace') {
    return {
      where,
      what: `belongs to an Istio that meshwright did not install${helmRelease(object)}`,
      fix: 'declare platform: existing({ ... }) to run on it, uninstall it first, or use another cluster',
    };
  }
  if (existing !== undefined) {
    return {
      where,
      what: 'exists already, and meshwright did not create it',
      fix: `declare another name, or share it with those who have it, mesh.namespace('${name}', { shared: true })`,
    };
  }
  const handOver = `kubectl label namespace ${name} ${managedByLabel}=${manager} ${partOfLabel}=${mesh} --overwrite`;
  return {
    where,
    what: 'exists already, and meshwright did not create it',
    fix: `declare another name, or hand it over to meshwright; \`down\` then deletes it once it holds nothing of others: ${handOver}`,
  };
}
