import { kindOf, replicasOf } from '../../charts/model/mesh-model.ts';
import type { GatewayModel, MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { openClients } from '../kube/connection.ts';
import type { ClusterAccess, Clients } from '../kube/connection.ts';
import { formatEndpoint, gatewayEndpoints } from '../reach/gateway-endpoint.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { condition, count, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { lookAt } from '../plan/readiness.ts';
import { caSignerEnd } from '../trust/ca-signer-end.ts';
import { readCa } from '../trust/live-ca.ts';
import { trustStatus } from '../trust/trust-status.ts';
import type { TrustStatus } from '../trust/trust-status.ts';
import { readRemotes } from '../remote/remote-status.ts';
import type { RemoteStatus } from '../remote/remote-status.ts';
import { readControlPlanes } from './control-planes.ts';
import type { ControlPlaneStatus } from './control-planes.ts';
import { unfinishedRollouts } from './rollouts.ts';
import type { Rollout } from './rollouts.ts';
import { runsIn, type RunStatus } from './runs.ts';

/** What `status --json` prints. A cluster that cannot be reached is not ready, and what is not known of it is null. */
export interface MeshStatus {
  readonly engine: string;
  readonly clusters: Readonly<Record<string, ClusterStatus>>;
  /** Replicas by workload that has pods, and by cluster, of all its versions together; `desired` is what is declared, or what a live workload was scaled up to. */
  readonly services: Readonly<
    Record<string, Readonly<Record<string, { readonly desired: number; readonly ready: number }>>>
  >;
  /** Deployments and StatefulSets whose last change has not arrived; empty when all have. */
  readonly rollouts: readonly Rollout[];
  /** Jobs and CronJobs in each cluster of theirs that can be reached. */
  readonly runs: readonly RunStatus[];
  /** The last `up`, when it failed, was interrupted, or still runs; null when it ended well. */
  readonly unfinishedUp: UnfinishedUp | null;
  readonly crossCluster: CrossCluster;
}

/** An `up` that has not ended well. */
export interface UnfinishedUp {
  /** When it began to change the clusters, ISO 8601. */
  readonly since: string;
  /** What it ended with, a line for each problem; null when it was cut off or still runs. */
  readonly problems: readonly string[] | null;
}

export interface ClusterStatus {
  readonly context: string;
  /** Every node is ready, and the control planes and gateways of the mesh are available, or the control plane of others that it runs on. */
  readonly ready: boolean;
  /** `http://ADDR:PORT` */
  readonly ingress: string | null;
  /** `ADDR:PORT`; null on an Istio of others, too. */
  readonly eastWest: string | null;
  /** Number of nodes. */
  readonly nodes: number;
  /** End of the validity of the cluster's intermediate CA, ISO 8601; null where that is of others, too. */
  readonly certificateNotAfter: string | null;
  /** Null where there is no CA. */
  readonly trust: TrustStatus | null;
  /** The declared ones, or the one of others; empty when the cluster cannot be reached. */
  readonly controlPlanes: readonly ControlPlaneStatus[];
  /** How this cluster's control plane reads the others, by their names. */
  readonly remotes: Readonly<Record<string, RemoteStatus>>;
}

export interface CrossCluster {
  /** Null where the mesh declares no read, through an edge, of a service that runs in other clusters only. */
  readonly ok: boolean | null;
  /** When it was checked, ISO 8601. */
  readonly checked: string;
}

export interface StatusOptions {
  /** What applied the mesh: `pulumi` or `apply`. */
  readonly engine: string;
  readonly access: Readonly<Record<string, ClusterAccess>>;
  /** Proves by real calls that services of one cluster are reached from another. */
  readonly probe: (clusters: MeshStatus['clusters']) => Promise<CrossCluster>;
  /** What is recorded of the last `up`. @default - that it ended well */
  readonly unfinishedUp?: UnfinishedUp;
  readonly signal?: AbortSignal;
}

export type { ControlPlaneStatus, RunStatus };

type Replicas = Readonly<Record<string, { readonly desired: number; readonly ready: number }>>;

/**
 * Reads the state of every cluster. A cluster that fails does not hide the others.
 * @throws ProblemsError (exit 2) for a missing kubeconfig or context.
 */
export async function collectStatus(model: MeshModel, options: StatusOptions): Promise<MeshStatus> {
  const names = model.clusters.map(({ name }) => name);
  const clients = openClients(names, options.access);
  const read = await Promise.all(
    Object.entries(clients).map(async ([name, client]) => {
      const context = options.access[name]?.context ?? '';
      return [name, await readCluster(model, client, clients, context, options.signal)] as const;
    }),
  );
  const clusters = Object.fromEntries(read.map(([name, { status }]) => [name, status]));
  const services = Object.fromEntries(
    // An edge of routes alone has no pods that could be ready.
    model.workloads
      .filter(({ deployments }) => deployments.length > 0)
      .map((workload) => [
        workload.name,
        Object.fromEntries(
          workload.placement.map((cluster) => {
            const live = read.find(([name]) => name === cluster)?.[1].replicas[workload.name];
            return [cluster, live ?? { desired: declaredIn(workload, cluster), ready: 0 }];
          }),
        ),
      ]),
  );
  return {
    engine: options.engine,
    clusters,
    services,
    rollouts: read.flatMap(([, { rollouts }]) => rollouts),
    runs: read.flatMap(([, { runs }]) => runs),
    unfinishedUp: options.unfinishedUp ?? null,
    crossCluster: await options.probe(clusters),
  };
}

/**
 * Whether the mesh is healthy: every cluster ready and read by the others, every replica ready and of the last change, no job failed, the last
 * `up` ended well, calls crossing. Decides the exit code.
 */
export function isHealthy(status: MeshStatus): boolean {
  const replicas = Object.values(status.services).flatMap((service) => Object.values(service));
  return (
    Object.values(status.clusters).every(
      ({ ready, remotes }) => ready && Object.values(remotes).every(({ problem }) => problem === null),
    ) &&
    replicas.every(({ desired, ready }) => ready >= desired) &&
    status.rollouts.length === 0 &&
    status.runs.every(({ state }) => state !== 'failed' && state !== 'missing') &&
    status.unfinishedUp === null &&
    status.crossCluster.ok !== false
  );
}

const statusRetryMs = 2_000;

async function readCluster(
  model: MeshModel,
  client: KubeClient,
  clients: Clients,
  context: string,
  signal: AbortSignal | undefined,
): Promise<{
  readonly status: ClusterStatus;
  readonly replicas: Replicas;
  readonly rollouts: readonly Rollout[];
  readonly runs: readonly RunStatus[];
}> {
  const get = (apiVersion: string, kind: string, namespace: string, name: string) =>
    client.get({ apiVersion, kind, metadata: { namespace, name } }, signal);
  try {
    await client.request('GET', '/readyz', { retryMs: statusRetryMs, ...(signal && { signal }) });
    const { controlPlane, ingress, eastWest, existing } = model;
    const nodeType = await client.typeOf('v1', 'Node', signal);
    const readGateway = async (gateway: GatewayModel | undefined, isOwn: boolean) => {
      if (gateway === undefined) return { deployments: [], address: null };
      const { namespace, name } = gateway;
      const [deployment, service] = await Promise.all([
        isOwn ? get('apps/v1', 'Deployment', namespace, name) : undefined,
        get('v1', 'Service', namespace, name),
      ]);
      const [address] = gatewayEndpoints(gateway, client.cluster, service).map(formatEndpoint);
      return { deployments: isOwn ? [deployment] : [], address: address ?? null };
    };
    const [nodes, planes, ca, ingressGateway, eastWestGateway] = await Promise.all([
      nodeType === undefined ? [] : client.list(nodeType, { ...(signal && { signal }) }),
      readControlPlanes(model, client, signal),
      existing === undefined ? readCa(client, controlPlane.namespace, signal) : undefined,
      readGateway(ingress, existing?.ingress === undefined),
      readGateway(eastWest, true),
    ]);
    const placed = model.workloads.filter(({ placement }) => placement.includes(client.cluster));
    const gateways = [...ingressGateway.deployments, ...eastWestGateway.deployments];
    const deployed: (KubeObject | undefined)[] = [...planes.deployments, ...gateways];
    const replicas = await Promise.all(
      placed.map(async ({ name, namespace, deployments }) => {
        const here = deployments.filter(({ placement }) => placement.includes(client.cluster));
        const seen = await Promise.all(
          here.map(async (deployment) => {
            const live = await get('apps/v1', kindOf(deployment), namespace, deployment.name);
            deployed.push(live);
            // Fewer than declared, such as a workload scaled to 0 by hand, is not what is desired.
            const desired = Math.max(replicasOf(deployment, client.cluster), count(live, 'spec', 'replicas'));
            // What one version has too many of does not make up for what another lacks.
            return { desired, ready: Math.min(desired, count(live, 'status', 'readyReplicas')) };
          }),
        );
        return [name, { desired: sum(seen, 'desired'), ready: sum(seen, 'ready') }] as const;
      }),
    );
    // On an Istio of others, what its control planes read the clusters with is theirs.
    const remotes =
      existing !== undefined
        ? {}
        : await readRemotes({
            namespace: controlPlane.namespace,
            reader: client,
            clients,
            ...(signal && { signal }),
          });
    const controlPlanes = planes.statuses;
    const signerEnd = await caSignerEnd(client, controlPlane.namespace, ca, signal);
    const available =
      controlPlanes.every(({ ready }) => ready) && gateways.every((live) => lookAt('available', live).done);
    const status: ClusterStatus = {
      context,
      ready: nodes.length > 0 && nodes.every(isNodeReady) && available,
      ingress: ingressGateway.address === null ? null : `http://${ingressGateway.address}`,
      eastWest: eastWestGateway.address,
      nodes: nodes.length,
      controlPlanes,
      certificateNotAfter: signerEnd?.toISOString() ?? null,
      trust: trustStatus(ca, signerEnd),
      remotes,
    };
    const rollouts = await unfinishedRollouts(client, deployed, signal);
    const runs = await runsIn(client, model.runs ?? [], signal);
    return { status, replicas: Object.fromEntries(replicas), rollouts, runs };
  } catch {
    signal?.throwIfAborted();
    const unknown = {
      ingress: null,
      eastWest: null,
      nodes: 0,
      controlPlanes: [],
      certificateNotAfter: null,
      trust: null,
      remotes: {},
    };
    return { status: { context, ready: false, ...unknown }, replicas: {}, rollouts: [], runs: [] };
  }
}

/** Replicas of all its Deployments in a cluster. */
function declaredIn({ deployments }: WorkloadModel, cluster: string): number {
  const here = deployments.filter(({ placement }) => placement.includes(cluster));
  return sum(here, 'replicas');
}

function sum<K extends string>(parts: readonly Readonly<Record<K, number>>[], key: K): number {
  return parts.reduce((total, part) => total + part[key], 0);
}

function isNodeReady(node: KubeObject): boolean {
  return text(condition(node, 'Ready'), 'status') === 'True';
}
