import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { findIstio } from '../existing/found-istio.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { listProxies } from '../kube/proxies.ts';
import { lookAt } from '../plan/readiness.ts';

export interface ControlPlaneStatus {
  /** `default` for the one without a revision; of others, the declared revision or tag. */
  readonly revision: string;
  /** Whether its Deployment is available. */
  readonly ready: boolean;
  /** Live pods whose proxies it injected, which connect to it. */
  readonly proxies: number;
}

/** The control planes of a cluster, and the Deployments of those that are the mesh's own. */
export interface ControlPlanes {
  readonly statuses: readonly ControlPlaneStatus[];
  readonly deployments: readonly (KubeObject | undefined)[];
}

/** Reads the control planes that a mesh has in a cluster, or the one of others that it runs on. */
export async function readControlPlanes(
  model: MeshModel,
  client: KubeClient,
  signal: AbortSignal | undefined,
): Promise<ControlPlanes> {
  const proxies = await listProxies(client, signal);
  const proxiesOf = (revision: string) => proxies.filter((proxy) => proxy.revision === revision).length;
  const { existing, controlPlane } = model;
  if (existing !== undefined) {
    const found = await findIstio(client, existing, signal);
    const { revision } = existing;
    // One that runs elsewhere tells nothing of itself.
    const ready = 'istio' in found ? lookAt('available', found.istio.istiod).done : !('problem' in found);
    const own = 'istio' in found ? found.istio.injector.revision : revision;
    return { statuses: [{ revision, ready, proxies: proxiesOf(own) }], deployments: [] };
  }
  const declared = model.clusters.find(({ name }) => name === client.cluster)?.controlPlanes ?? [];
  const { namespace } = controlPlane;
  const deployments = await Promise.all(
    declared.map(({ name }) =>
      client.get({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name } }, signal),
    ),
  );
  const statuses = declared.map(({ revision }, index) => ({
    revision,
    ready: lookAt('available', deployments[index]).done,
    proxies: proxiesOf(revision),
  }));
  return { statuses, deployments };
}
