import { replicasOf } from '../../charts/model/mesh-model.ts';
import type { DeploymentModel, MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { waitFor } from '../../core/wait.ts';
import type { KubeClient } from '../../infra/kube/kube-client.ts';
import { count, manager, type KubeObject } from '../../infra/kube/kube-object.ts';
import { readsOf, titleOf } from './edges.ts';
import type { Read } from './http.ts';
import { callUntilSteady, type Proof, type ProofContext } from './proof.ts';
import { notFrom } from './reads.ts';

const scaleMs = 90_000;

/** With a service gone from one cluster, its answers come from another; and from that one again when it is back. */
export function failover(model: MeshModel): readonly Proof[] {
  const ways = readsOf(model).flatMap(({ edge, callee, read }) => {
    // Through an edge that is where the service goes, and where nothing but the loss of it changes who answers.
    const [cluster] = callee.answersFrom.filter((each) => edge.local && edge.answersFrom.includes(each));
    const others = callee.answersFrom.filter((each) => each !== cluster);
    return callee.local && cluster !== undefined && others.length > 0
      ? [{ callee, read, cluster, others }]
      : [];
  });
  const [found] = ways;
  if (found === undefined) return [];
  const { callee, read, cluster, others } = found;
  return [
    {
      title: `with ${titleOf(model, callee)} scaled to 0 in ${cluster}, its answers come from ${others.join(' or ')}, and from ${cluster} again after`,
      run: (context) => prove(context, { callee, read, cluster, others }),
      concerns: (object) => concerns(model, callee, object),
      disturbs: true,
    },
  ];
}

/** All of the mesh, but for what belongs to other workloads, by its name; edges are on the calls' way. */
function concerns({ workloads }: MeshModel, callee: WorkloadModel, object: string): boolean {
  const [, namespace, name] = /^\S+ ([^/]+)\/(.+)$/.exec(object) ?? [];
  const isOf = (workload: WorkloadModel) =>
    workload.namespace === namespace && (name === workload.name || name?.startsWith(`${workload.name}-`));
  const owners = workloads.filter(isOf);
  return owners.length === 0 || owners.some((owner) => owner === callee || owner.edge !== undefined);
}

interface Loss {
  readonly callee: WorkloadModel;
  readonly read: Read;
  /** It goes from here. */
  readonly cluster: string;
  readonly others: readonly string[];
}

async function prove(context: ProofContext, { callee, read, cluster, others }: Loss): Promise<string> {
  const client = context.clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const answersFrom = (clusters: readonly string[]) =>
    callUntilSteady(
      context,
      `answers of ${callee.name} from ${clusters.join(' or ')} through ${cluster}`,
      cluster,
      read,
      (answer) => notFrom(answer, clusters),
    );
  const declared = callee.deployments.filter(({ placement }) => placement.includes(cluster));
  // An autoscaler may have more than is declared.
  const here = await Promise.all(
    declared.map(async (deployment) => ({
      ...deployment,
      replicas: await livingOf(client, callee, deployment, context.signal),
    })),
  );
  let away: string;
  try {
    await Promise.all(here.map((deployment) => scale(client, callee, deployment, 0)));
    away = (await answersFrom(others)).servedBy;
  } finally {
    // Also after a failure or an interruption: the proof leaves the mesh as it found it.
    await Promise.all(here.map((deployment) => scale(client, callee, deployment, deployment.replicas)));
  }
  for (const deployment of here) await awaitReplicas(client, callee, deployment, context.signal);
  const back = await answersFrom([cluster]);
  return `by ${away}, then by ${back.servedBy}`;
}

function scale(
  client: KubeClient,
  { namespace }: WorkloadModel,
  { name }: DeploymentModel,
  replicas: number,
): Promise<unknown> {
  return client.request('PATCH', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/scale`, {
    body: { spec: { replicas } },
    contentType: 'application/merge-patch+json',
    // The plan's own field manager: the next apply finds its field as it left it.
    query: { fieldManager: manager },
  });
}

async function livingOf(
  client: KubeClient,
  { namespace }: WorkloadModel,
  deployment: DeploymentModel,
  signal?: AbortSignal,
): Promise<number> {
  const live = await client.get(deploymentObject(namespace, deployment.name), signal);
  return Math.max(replicasOf(deployment, client.cluster), count(live, 'spec', 'replicas'));
}

const deploymentObject = (namespace: string, name: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace, name },
});

async function awaitReplicas(
  client: KubeClient,
  { namespace }: WorkloadModel,
  { name, replicas }: DeploymentModel,
  signal?: AbortSignal,
): Promise<void> {
  const deployment = deploymentObject(namespace, name);
  await waitFor(
    {
      what: `deployment ${namespace}/${name} back in ${client.cluster}`,
      timeoutMs: scaleMs,
      ...(signal && { signal }),
    },
    async () => {
      const ready = count(await client.get(deployment, signal), 'status', 'readyReplicas');
      return ready >= replicas
        ? { done: true, value: undefined }
        : { done: false, because: `${ready} of ${replicas} pods are ready` };
    },
  );
}
