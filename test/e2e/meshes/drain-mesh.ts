import { create, toBinary, type DescMethod } from '@bufbuild/protobuf';
import { loadAppConfigs } from '../../../apps/config/app-config.ts';
import { GrpcService, Namespace, type Mesh, type Method, type MethodKind } from '../../../charts/index.ts';
import type { KubernetesObject } from '../../../charts/model/mesh-model.ts';
import { root } from '../checkout/cli.ts';
import { kubectl } from '../checkout/lab.ts';
import { CatalogService, InventoryService, OrdersService, shop, type Cluster } from '../checkout/sample.ts';
import { caller, callIn, type Flow } from '../load/load-mesh.ts';
import { projectWith } from '../checkout/project.ts';

export type { Cluster };

/** Where the workloads of the shop run. */
export const placements: Readonly<Record<string, readonly Cluster[]>> = {
  catalog: ['east', 'west'],
  inventory: ['west'],
  orders: ['east'],
  edge: ['east', 'west'],
};

const replicas = 2;
const namespaceName = 'shop';

/** The project with two pods of each app, whose servers replace connections after 2 seconds; `remove` it after. */
export function drainProject(): ReturnType<typeof projectWith> {
  const changes = loadAppConfigs(root).map(({ name, ports, env }) => {
    const age = ports.grpc === undefined ? {} : { GRPC_MAX_CONNECTION_AGE_MS: '2000' };
    return [name, { replicas, env: { ...env, ...age } }] as const;
  });
  return projectWith(Object.fromEntries(changes));
}

/** The sample shop itself, and `load`, which may call each of its services. */
export function drainMesh(projectRoot: string): Mesh<Cluster> {
  const mesh = shop.mesh({ root: projectRoot, environment: 'lab' });
  const parts = mesh.node.findAll();
  const namespace = parts.find((part): part is Namespace<Cluster> => part instanceof Namespace);
  if (namespace === undefined) throw new Error('the shop has no namespace');
  const load = new GrpcService(namespace, caller.name, { app: 'apps/inventory', service: InventoryService });
  const methods = parts.flatMap((part) => (part instanceof GrpcService ? part.methods : []));
  const called = methods.filter(({ descriptor }) => flows.some(({ path }) => path === pathOf(descriptor)));
  load.calls(...(called as Method<MethodKind, Cluster>[]));
  return mesh;
}

const pathOf = ({ parent, name }: DescMethod) => `/${parent.typeName}/${name}`;
const grpc = (service: string, method: DescMethod, request: Record<string, unknown>) => ({
  url: `http://${service}.${namespaceName}.svc.cluster.local:50051`,
  path: pathOf(method),
  // Fewer than in the smallest mesh under load: these calls go further.
  perSecond: 5,
  message: Buffer.from(toBinary(method.input, create(method.input, request))).toString('hex'),
});
const { getStock } = InventoryService.method;
const { getProduct } = CatalogService.method;
const { createOrder } = OrdersService.method;

/**
 * Across the clusters in both directions: orders runs in the east and reserves in the west for each call from there, and
 * inventory runs in the west. The catalog is asked where the caller is.
 */
export const flows: readonly Flow[] = [
  { name: 'east->inventory', from: 'east', ...grpc('inventory', getStock, { productId: 'p-1' }) },
  { name: 'west->orders', from: 'west', ...grpc('orders', createOrder, { productId: 'p-1', quantity: 1 }) },
  { name: 'east->catalog', from: 'east', ...grpc('catalog', getProduct, { id: 'p-1' }) },
  { name: 'west->catalog', from: 'west', ...grpc('catalog', getProduct, { id: 'p-1' }) },
];

/** What the ingress gateways get: from each, a service of the other cluster. */
export const requests: Readonly<Record<Cluster, string>> = {
  east: '/v1/stock/p-1',
  west: '/v1/orders?page_size=1',
};

/** For `applyVariant`: `load` makes the calls, by one pod in each cluster. */
export function drainLoad(object: KubernetesObject): KubernetesObject {
  const changed = callIn(flows)(object);
  if (changed === object || changed.kind !== 'Deployment') return changed;
  const { spec } = changed as KubernetesObject & { readonly spec: object };
  return { ...changed, spec: { ...spec, replicas: 1 } };
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function podsOf(cluster: Cluster, app: string): readonly Pod[] {
  const selector = `app.kubernetes.io/name=${app}`;
  const list = kubectl(cluster, '-n', namespaceName, 'get', 'pods', '-l', selector, '-o', 'json');
  return (JSON.parse(list) as { readonly items: readonly Pod[] }).items;
}

/** Names of the pods of a workload. */
export function podNames(cluster: Cluster, app: string): readonly string[] {
  return podsOf(cluster, app).map(({ metadata }) => metadata.name);
}

/** Why a workload is not as declared: all its pods ready, and none that still ends. */
export function unsettled(cluster: Cluster, app: string): string | undefined {
  const pods = podsOf(cluster, app);
  const ready = pods.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
  );
  return pods.length === replicas && ready.length === replicas
    ? undefined
    : `${app} in ${cluster} has ${pods.length} pods, ${ready.length} of them ready`;
}

/** How many connections the proxies of a service's pods have opened to the servers beside them, ever. */
export function connectionsTo(cluster: Cluster, app: string): number {
  return podNames(cluster, app)
    .map((pod) => {
      const exec = ['-n', namespaceName, 'exec', pod, '-c', 'istio-proxy', '--'];
      const hosts = kubectl(cluster, ...exec, 'pilot-agent', 'request', 'GET', 'clusters');
      const total = /^inbound\|50051\|[^:]*::.*::cx_total::(\d+)$/m.exec(hosts)?.[1];
      if (total === undefined) throw new Error(`${pod}: its proxy knows no server on port 50051`);
      return Number(total);
    })
    .reduce((sum, total) => sum + total, 0);
}
