import type { DeploymentModel, MeshModel, WorkloadModel } from '../../charts/model/mesh-model.ts';
import { waitFor } from '../../core/wait.ts';
import type { KubeClient } from '../../infra/kube/kube-client.ts';
import { count, manager } from '../../infra/kube/kube-object.ts';
import { notFrom } from './calls.ts';
import { callUntilSteady, workload, type Proof, type ProofContext } from './proof.ts';
import { shopReads } from './shop.ts';

const scaleMs = 90_000;

/** With the catalog gone from one cluster, its products come from another; and from it again when it is back. */
export function failover(model: MeshModel): readonly Proof[] {
  const catalog = workload(model, 'catalog');
  const [cluster, ...others] = catalog?.placement ?? [];
  if (catalog === undefined || cluster === undefined || others.length === 0) return [];
  return [
    {
      title: `with the catalog of ${cluster} scaled to 0, products are served by ${others.join(' or ')}, and by ${cluster} again after`,
      run: (context) => prove(context, catalog, cluster, others),
      concerns: (object) => concerns(model, catalog, object),
    },
  ];
}

/** All of the mesh, but for what belongs to other workloads, by its name; edges are on the calls' way. */
function concerns({ workloads }: MeshModel, catalog: WorkloadModel, object: string): boolean {
  const [, namespace, name] = /^\S+ ([^/]+)\/(.+)$/.exec(object) ?? [];
  const isOf = (workload: WorkloadModel) =>
    workload.namespace === namespace && (name === workload.name || name?.startsWith(`${workload.name}-`));
  const owners = workloads.filter(isOf);
  return owners.length === 0 || owners.some((owner) => owner === catalog || owner.ports.grpc === undefined);
}

async function prove(
  context: ProofContext,
  catalog: WorkloadModel,
  cluster: string,
  others: readonly string[],
): Promise<string> {
  const client = context.clients[cluster];
  if (client === undefined) throw new Error(`no client of ${cluster}`);
  const read = (from: readonly string[]) =>
    callUntilSteady(
      context,
      `products of ${from.join(' or ')} through ${cluster}`,
      cluster,
      shopReads.catalog,
      (answer) => notFrom(answer, from),
    );
  const here = catalog.deployments.filter(({ placement }) => placement.includes(cluster));
  let away: string;
  try {
    await Promise.all(here.map((deployment) => scale(client, catalog, deployment, 0)));
    away = (await read(others)).servedBy;
  } finally {
    // Also after a failure or an interruption: the proof leaves the mesh as it found it.
    await Promise.all(here.map((deployment) => scale(client, catalog, deployment, deployment.replicas)));
  }
  for (const deployment of here) await awaitReplicas(client, catalog, deployment, context.signal);
  const back = await read([cluster]);
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

async function awaitReplicas(
  client: KubeClient,
  { namespace }: WorkloadModel,
  { name, replicas }: DeploymentModel,
  signal?: AbortSignal,
): Promise<void> {
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name } };
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
