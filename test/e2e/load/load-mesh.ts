import { readFileSync } from 'node:fs';
import {
  GrpcService,
  HttpEdge,
  type ClusterProps,
  type Mesh,
  type Namespace,
} from '../../../charts/index.ts';
import type { KubernetesObject } from '../../../charts/model/mesh-model.ts';
import { apps, labMesh, type Cluster } from '../checkout/lab-mesh.ts';
import { InventoryService } from '../checkout/sample.ts';
import { echoIn, runIn } from '../calls/echo.ts';

/** What a load consists of, as load-program.cjs takes it. */
export interface Flow {
  readonly name: string;
  /** The cluster whose load pods make the calls. @default - everyone who is told of the flow */
  readonly from?: string;
  /** `http://HOST:PORT` for gRPC, the whole URL for HTTP. */
  readonly url: string;
  /** The host that an HTTP request asks for. @default - that of the URL */
  readonly host?: string;
  /** Of a gRPC method; without one, the flow is HTTP GET. */
  readonly path?: string;
  /** Of the gRPC request, in hex. @default - an empty message */
  readonly message?: string;
  /** Its calls in a second. @default - {@link perSecond} */
  readonly perSecond?: number;
}

/** Calls of each flow in a second. */
export const perSecond = 20;
/**
 * After which a call without an answer has failed, in milliseconds: lost calls are looked for, not slow ones. A machine that has
 * to start pods on two cores beside the load was seen to keep all calls of a second waiting for more than 10 s. Within the 30 s that a
 * pod has to end, it still reports all of its calls.
 */
const deadlineMs = 25_000;
/** After which a call that goes well is counted as late, in milliseconds. */
const lateMs = 2_000;

const namespaceName = 'shop';
/** The workload that calls. */
export const caller = { namespace: namespaceName, name: 'load', container: 'inventory' } as const;
const program = readFileSync(new URL('./load-program.cjs', import.meta.url), 'utf8');

/** The command that makes the calls of these flows until it gets SIGTERM. */
export function loadCommand(flows: readonly Flow[]): readonly [string, string, string] {
  return ['-e', program, JSON.stringify({ flows, perSecond, deadlineMs, lateMs, connections: 4 })];
}

/** The flow from each cluster to the service of each other one: `east->west`. */
export function flowsBetween(clusters: readonly string[]): readonly Flow[] {
  return clusters.flatMap((from) =>
    clusters
      .filter((to) => to !== from)
      .map((to) => ({
        name: `${from}->${to}`,
        from,
        url: `http://${answers(to)}.${namespaceName}.svc.cluster.local:50051`,
        path: `/${InventoryService.typeName}/GetStock`,
      })),
  );
}

function answers(cluster: string): string {
  return `answers-${cluster}`;
}

/**
 * Declares what steady load needs, in the namespace `shop` of any variant: a service `answers-CLUSTER` in each cluster
 * alone, and `load` in all of them, which calls those of the other clusters. No retries: what is lost is seen.
 */
export function declareLoad<C extends string>(
  shop: Namespace<C>,
): readonly GrpcService<typeof InventoryService, C>[] {
  const services = shop.mesh.clusters.map(
    ({ name }) => new GrpcService(shop, answers(name), { ...apps.inventory, placement: [name] }),
  );
  const load = new GrpcService(shop, caller.name, apps.inventory);
  load.calls(...services.map(({ method }) => method.getStock));
  return services;
}

/** For `applyVariant`: the programs of {@link declareLoad} in the place of their apps. Other workloads stay. */
export function loadIn(clusters: readonly string[]): (object: KubernetesObject) => KubernetesObject {
  const [echo, call] = [echoIn(namespaceName), callIn(flowsBetween(clusters))];
  const services = clusters.map(answers);
  return (object) => (services.includes(object.metadata.name) ? echo(object) : call(object));
}

/** For `applyVariant`: the program that makes the calls in the place of the app of the workload `load` alone. */
export function callIn(flows: readonly Flow[]): (object: KubernetesObject) => KubernetesObject {
  const call = runIn(namespaceName, ['/usr/bin/node', ...loadCommand(flows)]);
  return (object) => (object.metadata.name === caller.name ? call(object) : object);
}

/**
 * The smallest mesh under load: {@link declareLoad} in two clusters, and an edge that brings `GET /v1/stock/x` from
 * the ingress gateways of both to the service in the west.
 * @param east - what is declared of that cluster beside the rest
 */
export function loadMesh(east: Pick<ClusterProps, 'istio'> = {}): Mesh<Cluster> {
  const mesh = labMesh({ more: (cluster) => (cluster === 'east' ? east : {}) });
  const shop = mesh.namespace(namespaceName);
  const services = declareLoad(shop);
  new HttpEdge(shop, 'edge', { expose: services.slice(-1) });
  return mesh;
}
