import fc from 'fast-check';
import { CatalogService } from '../../gen/test/catalog/v1/catalog_pb.js';
import { InventoryService } from '../../gen/test/inventory/v1/inventory_pb.js';
import { OrdersService } from '../../gen/test/orders/v1/orders_pb.js';
import { GrpcService } from '../constructs/workload/grpc-service.ts';
import type { VersionProps } from '../constructs/workload/grpc-service.ts';
import { HttpEdge } from '../constructs/edge/http-edge.ts';
import type { EdgeProtocol } from '../constructs/edge/protocols.ts';
import type { Gateways } from '../constructs/scope/gateway-address.ts';
import { Mesh } from '../constructs/mesh.ts';
import { TcpService } from '../constructs/tcp/tcp-service.ts';
import { reservedNamespaces } from '../constructs/scope/names.ts';
import { lab, released } from '../platforms.ts';
import { anyPolicy, declarePolicy, pick } from './random-policy.ts';
import type { AnyService } from './random-policy.ts';

/** A DNS label that begins with a letter and is no namespace of the mesh itself. */
const name = fc
  .stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/)
  .filter((text) => !reservedNamespaces.includes(text));

const descriptors = { catalog: CatalogService, inventory: InventoryService, orders: OrdersService } as const;

/** The first version runs wherever its service does, so that no cluster is left without one. */
const anyVersions = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('v1', 'v2', 'next', 'v1-b'),
    replicas: fc.option(fc.nat(3), { nil: undefined }),
    image: fc.option(fc.constantFrom('shop/x:1.0.0', `registry.example/x@sha256:${'0a'.repeat(32)}`), {
      nil: undefined,
    }),
    leftOut: fc.nat(),
  }),
  { minLength: 1, maxLength: 3, selector: (version) => version.name },
);

interface Named {
  readonly name: string;
  readonly namespace: number;
  readonly versions: readonly { readonly name: string }[] | undefined;
}

/** Leaves out the services of which another in the namespace has the name, or that of a Deployment. */
function withoutRivals<S extends Named>(namespaces: readonly string[], services: readonly S[]): S[] {
  const taken = new Set<string>();
  return services.filter(({ name: own, namespace, versions = [] }) => {
    const at = namespace % namespaces.length;
    const names = [own, ...versions.map((version) => `${own}-${version.name}`)].map((one) => `${at} ${one}`);
    if (names.some((one) => taken.has(one))) return false;
    for (const one of names) taken.add(one);
    return true;
  });
}

/** What the service over TCP is called: too long to be one of the drawn names. */
export const cacheName = 'the-shared-cache';

/** A valid mesh as plain data. Numbers without a limit pick from what there is. */
export const anyMesh = fc.uniqueArray(name, { minLength: 2, maxLength: 4 }).chain((clusters) =>
  fc
    .record({
      clusters: fc.constant(clusters),
      regions: fc.array(fc.constantFrom('r1', 'r2', 'r3', 'r4'), {
        minLength: clusters.length,
        maxLength: clusters.length,
      }),
      ownZones: fc.boolean(),
      // Clusters whose east-west gateway is on node ports.
      nodePorts: fc.subarray(clusters),
      platform: fc.constantFrom(lab, released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' })),
      namespaces: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      services: fc.array(
        fc.record({
          // Some have the name of one in another namespace.
          name: fc.oneof(name, fc.constantFrom('orders', 'v1')),
          namespace: fc.nat(2),
          app: fc.constantFrom('catalog', 'inventory', 'orders'),
          placement: fc.option(fc.subarray(clusters, { minLength: 1 }), { nil: undefined }),
          versions: fc.option(anyVersions, { nil: undefined }),
          policy: fc.option(anyPolicy, { nil: undefined }),
        }),
        { maxLength: 6 },
      ),
      // How its edge is called, if it has one.
      edge: fc.constantFrom<readonly EdgeProtocol[] | undefined>(undefined, ['rest'], ['rest', 'grpc']),
      // A cache, of which every service is a caller; where it has data of its own, in one cluster or in all.
      cache: fc.option(
        fc.record({ replicated: fc.boolean(), alone: fc.option(fc.nat(), { nil: undefined }) }),
        { nil: undefined },
      ),
      // Caller, callee and method.
      calls: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 10 }),
    })
    .map((drawn) => ({ ...drawn, services: withoutRivals(drawn.namespaces, drawn.services) })),
);

/** Too long to be one of the drawn names. */
export const edgeName = 'the-http-edge';

export type DrawnMesh = typeof anyMesh extends fc.Arbitrary<infer T> ? T : never;

type DrawnService = DrawnMesh['services'][number];

/**
 * Declares a drawn mesh.
 * @param order - the services' indices, in the order they are declared; the calls are declared in the reverse of theirs
 * when it is not the order they were drawn in
 */
export function declareMesh(
  root: string,
  drawn: DrawnMesh,
  order = drawn.services.map((_, index) => index),
): { readonly mesh: Mesh<string>; readonly services: readonly AnyService[] } {
  const clusters = Object.fromEntries(
    drawn.clusters.map((cluster, index) => {
      const region = drawn.regions[index] ?? 'r1';
      return [
        cluster,
        {
          network: `net-${cluster}`,
          region,
          zone: drawn.ownZones ? `${region}-${cluster}` : region,
          ...(drawn.nodePorts.includes(cluster) && { gateways: nodePorts(index) }),
        },
      ];
    }),
  );
  const { platform } = drawn;
  const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform });
  const namespaces = drawn.namespaces.map((namespace) => mesh.namespace(namespace));
  const declared = new Map(
    order.map((index) => {
      const service = pick(drawn.services, index);
      return [index, declareService(mesh, pick(namespaces, service.namespace), service)];
    }),
  );
  const services = order.toSorted((a, b) => a - b).flatMap((index) => declared.get(index) ?? []);
  const shuffled = order.some((index, at) => index !== at);
  for (const [caller, callee, method] of shuffled ? drawn.calls.toReversed() : drawn.calls) {
    if (services.length === 0) break;
    pick(services, caller).calls(pick(pick(services, callee).methods, method));
  }
  const first = services.filter(
    (service, index) => services.findIndex((other) => other.app === service.app) === index,
  );
  if (drawn.cache !== undefined) declareCache(drawn, drawn.cache, pick(namespaces, 0), services);
  if (drawn.edge !== undefined && first.length > 0) {
    new HttpEdge(pick(namespaces, 0), edgeName, { expose: first, protocols: drawn.edge });
  }
  return { mesh, services };
}

function declareCache(
  { clusters }: DrawnMesh,
  { replicated, alone }: NonNullable<DrawnMesh['cache']>,
  namespace: ReturnType<Mesh<string>['namespace']>,
  callers: readonly AnyService[],
): void {
  const cache = new TcpService(namespace, cacheName, {
    image: 'registry.example/redis:8.2.1',
    ports: { redis: 6379, bus: { port: 16379, servicePort: 80 } },
    replicated,
    ...(alone === undefined ? {} : { placement: [pick(clusters, alone)] }),
  });
  for (const caller of callers) caller.calls(cache.port.redis, cache.port.bus);
}

function nodePorts(index: number): Gateways {
  return { eastWest: { type: 'NodePort', addresses: [`192.0.2.${index + 1}`], ports: { tls: 31443 } } };
}

function declareService(
  mesh: Mesh<string>,
  namespace: ReturnType<Mesh<string>['namespace']>,
  drawn: DrawnService,
): AnyService {
  const { placement, versions } = drawn;
  const service: AnyService = new GrpcService(namespace, drawn.name, {
    app: `apps/${drawn.app}`,
    service: descriptors[drawn.app],
    ...(placement === undefined ? {} : { placement }),
    ...(versions === undefined
      ? {}
      : { versions: versionsOf(versions, placement ?? mesh.clusters.map((cluster) => cluster.name)) }),
  });
  if (drawn.policy !== undefined) declarePolicy(service, drawn.policy);
  return service;
}

function versionsOf(
  drawn: NonNullable<DrawnService['versions']>,
  placement: readonly string[],
): Record<string, VersionProps<string>> {
  return Object.fromEntries(
    drawn.map(({ name: version, replicas, image, leftOut }, index) => {
      const some = placement.filter((_, at) => placement.length === 1 || at !== leftOut % placement.length);
      return [
        version,
        {
          ...(replicas === undefined ? {} : { replicas: index === 0 ? Math.max(1, replicas) : replicas }),
          ...(image === undefined ? {} : { image }),
          ...(index === 0 ? {} : { placement: some }),
        },
      ];
    }),
  );
}
