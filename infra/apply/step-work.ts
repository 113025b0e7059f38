import { lastOfMesh } from '../../charts/model/stage.ts';
import { allOrProblems } from '../../core/all-or-problems.ts';
import { raiseToMinimum } from './autoscaling.ts';
import { awaitReady } from './await-ready.ts';
import type { Clients } from '../kube/connection.ts';
import { awaitOthers } from '../reach/other-clusters.ts';
import { renderIstioReleases } from '../plan/istio-release.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { defaultLimits } from '../plan/limits.ts';
import type { Limits } from '../plan/limits.ts';
import type { Plan, PlanStep, PlannedSecret } from '../plan/plan.ts';
import { readinessOf } from '../plan/readiness.ts';
import type { RemoteLinks } from '../remote/remote-links.ts';
import type { ClusterTrust } from '../trust/folder.ts';
import { mountCa } from '../trust/ca-volume.ts';
import { markIdentity } from '../preflight/identity.ts';
import type { MeshIdentity } from '../preflight/identity.ts';
import { awaitIssued } from '../trust/issued.ts';
import { awaitRoots } from '../trust/published-roots.ts';
import { trustObject, withTrust } from '../trust/objects.ts';
import { refuseUnproxied } from './unproxied.ts';

/** What the work on every step of a plan is done with, by either driver. */
export interface PlanContext {
  readonly plan: Plan;
  readonly clients: Clients;
  readonly trust: Readonly<Record<string, ClusterTrust>>;
  readonly links: RemoteLinks;
  /** What is kept on the control planes' namespaces. @default - nothing */
  readonly identity?: MeshIdentity;
  readonly report: (line: string) => void;
  /** Called for each step once all of it is ready. @default - nobody is told */
  readonly readied?: () => void;
  /** @default defaultLimits */
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
}

/**
 * Makes a planned secret, when its step is reached: what it is made from exists once the steps before are ready.
 * @param preview - nothing is asked for that the clusters would have to make: what is due is shown as due
 * @throws ProblemsError (exit 1) when a cluster does not give what the secret is made from.
 */
export async function makeSecret(
  step: PlanStep,
  secret: PlannedSecret,
  context: PlanContext,
  preview = false,
): Promise<KubeObject> {
  const { plan, links } = context;
  switch (secret.kind) {
    case 'cacerts':
    case 'trust-anchors':
      return trustObject(secret, plan.mesh, trustOf(context, step.cluster));
    case 'remote-secret':
      return links.grant(step.cluster, secret.of, preview);
  }
}

/**
 * The objects of a step's Istio releases, which `istioctl` renders, as they are applied: a control plane is rolled out when it
 * gets another CA, unless an issuer renews that by itself, of the same root, or it reads the CA from a volume.
 */
export async function makeRelease(
  step: PlanStep,
  istioctl: string,
  context: Pick<PlanContext, 'plan' | 'trust' | 'signal'>,
): Promise<readonly KubeObject[]> {
  return finishRelease(step, await renderRelease(step, istioctl, context), context);
}

/** The first half of {@link makeRelease}, which takes a second and needs no cluster. */
export async function renderRelease(
  step: PlanStep,
  istioctl: string,
  { plan, signal }: Pick<PlanContext, 'plan' | 'signal'>,
): Promise<readonly KubeObject[]> {
  if (step.releases.length === 0) return [];
  return renderIstioReleases(istioctl, step.releases, plan.mesh, signal);
}

/** The second half of {@link makeRelease}. */
export function finishRelease(
  step: PlanStep,
  rendered: readonly KubeObject[],
  context: Pick<PlanContext, 'plan' | 'trust'>,
): readonly KubeObject[] {
  const { issuer, caVolume } = context.plan;
  if (rendered.length === 0 || issuer !== undefined) return rendered;
  if (caVolume !== undefined) return mountCa(rendered, caVolume);
  return withTrust(rendered, trustOf(context, step.cluster));
}

/**
 * Ends a step: what its autoscalers scale gets the fewest pods it may have, and everything gets ready, a CA that an issuer
 * signs included, and no pod is without its proxy. A cluster's last
 * step of the mesh also ends its control plane's waiting for the other clusters, which goes on beside the steps after the remote
 * secrets: a cluster that cannot be read keeps nobody from working in the others. By then every cluster has its gateways,
 * and the others' are tried from inside it.
 * @param release - the rendered objects of the step's Istio releases
 * @throws ProblemsError (exit 1) for what does not get ready in time, for pods without a proxy, and for clusters that are not
 * read or not reached.
 */
export async function settle(
  step: PlanStep,
  release: readonly KubeObject[],
  { plan, clients, links, identity, report, readied, limits = {}, signal }: PlanContext,
): Promise<void> {
  const client = clientOf(clients, step.cluster);
  const namespaces = plan.steps
    .filter(({ cluster }) => cluster === step.cluster)
    .flatMap(({ objects }) => objects)
    .filter(({ kind }) => kind === 'Namespace');
  await raiseToMinimum(client, step.objects, signal);
  const awaiting = { namespaces, report, ...(signal && { signal }) };
  await awaitReady(client, [...step.ready, ...readinessOf(release)], awaiting);
  await refuseUnproxied(client, step, plan, signal);
  if (step.stage === '00-namespaces' && identity !== undefined)
    await markIdentity(client, identity, plan, signal);
  if (step.stage === '00-namespaces' && plan.issuer !== undefined)
    await awaitIssued(client, Object.values(clients), plan.controlPlaneNamespace, plan.issuer, {
      report,
      ...(signal && { signal }),
    });
  if (step.stage === '10-control-plane' && plan.caVolume !== undefined)
    await awaitRoots(client, Object.values(clients), plan.controlPlaneNamespace, plan.caVolume, signal);
  readied?.();
  if (step.secrets.some(({ kind }) => kind === 'remote-secret')) links.open(step.cluster);
  if (step.stage !== lastOfMesh) return;
  const others = plan.clusters.filter((name) => name !== step.cluster).map((name) => clientOf(clients, name));
  const reach = { report, limits: { ...defaultLimits, ...limits }, ...(signal && { signal }) };
  await allOrProblems([links.opened(step.cluster), awaitOthers(plan, client, others, reach)]);
}

function trustOf({ trust }: Pick<PlanContext, 'trust'>, cluster: string): ClusterTrust {
  const found = trust[cluster];
  if (found === undefined) throw new Error(`no CA was made for cluster ${cluster}`);
  return found;
}

/** The client of a cluster of the plan. */
export function clientOf(clients: Clients, cluster: string): KubeClient {
  const client = clients[cluster];
  if (client === undefined) throw new Error(`no client was made for cluster ${cluster}`);
  return client;
}
